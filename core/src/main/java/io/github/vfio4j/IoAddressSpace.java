package io.github.vfio4j;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * An IO address space: which memory a device sees at which IO virtual address (IOVA).
 *
 * <p>It is a {@link io.github.vfio4j.container.Container} on the legacy interface and an {@link
 * io.github.vfio4j.iommufd.Ioas} on iommufd, and a device model has one too; a driver written to
 * this type runs on any. IOVAs are unsigned 64-bit numbers, sizes are bytes.
 *
 * <p>The address space owns what is mapped into it: closing it unmaps everything and frees its
 * {@link DmaBuffer}s. All methods may be called from any thread; maps and unmaps of one address
 * space run one after another. After {@link #close} they throw {@link IllegalStateException}. One
 * that nobody closes stays, with all that is mapped in it, as long as the process.
 */
public interface IoAddressSpace extends AutoCloseable {
  /**
   * A region of memory, and where devices shall see it: of a virtual machine's memory, for one.
   *
   * @param iova where devices shall see it
   * @param memory as in {@link #map(MemorySegment, long, DmaAccess)}
   * @param access what devices may do with it
   */
  record MemoryRegion(long iova, MemorySegment memory, DmaAccess access) {
    /** Returns where it is in words. */
    @Override
    public String toString() {
      return "0x%x bytes at 0x%x".formatted(memory.byteSize(), iova);
    }
  }

  /** Hears how far something has come that takes a while. */
  @FunctionalInterface
  interface Progress {
    /** Hears nothing. */
    Progress UNHEARD = (done, total) -> {};

    /**
     * Called now and then by the thread that waits for the end, without a lock held. What it throws
     * ends the work, as a failure does.
     *
     * @param done bytes that are done, more each time
     * @param total bytes that there are; {@code done} is as many the last time
     */
    void advanced(long done, long total);
  }

  /**
   * How a buffer's memory is allocated.
   *
   * @param transparentHugePages whether a buffer of 2 MiB and more is on huge pages where the
   *     kernel has some
   * @param progress hears how much of a buffer of 2 MiB and more is there
   */
  record Allocation(boolean transparentHugePages, Progress progress) {
    /** Huge pages where they help, and nobody hears of progress. */
    public static final Allocation USUAL = new Allocation(true, Progress.UNHEARD);

    /**
     * Returns how the same is allocated on ordinary pages: the kernel need not move memory out of
     * the way to have huge ones.
     *
     * @return the other way
     */
    public Allocation onOrdinaryPages() {
      return new Allocation(false, progress);
    }

    /**
     * Returns how the same is allocated while somebody hears of it.
     *
     * @param listener who
     * @return the other way
     */
    public Allocation telling(Progress listener) {
      return new Allocation(transparentHugePages, listener);
    }

    /** Returns on which pages in words. */
    @Override
    public String toString() {
      return transparentHugePages ? "on huge pages where they help" : "on ordinary pages";
    }
  }

  /**
   * Returns the interface that this address space belongs to.
   *
   * @return the interface, as {@link BackendChoice} names it
   */
  Backend backend();

  /**
   * Returns the ranges that can be mapped, as the kernel last gave them.
   *
   * <p>They are what the IOMMU translates, less what is reserved (interrupt windows, firmware).
   * They shrink when a device is attached.
   *
   * @return the ranges, ascending, without overlap
   */
  List<IovaRange> iovaRanges();

  /**
   * Returns the unit of mapping.
   *
   * @return bytes, a power of two: every IOVA, memory address and size mapped is a multiple of it
   */
  long granule();

  /**
   * Maps memory at a chosen IOVA. The kernel pins the memory until it is unmapped.
   *
   * <p>Issues {@code IOMMU_IOAS_MAP} or {@code VFIO_IOMMU_MAP_DMA}; allocates nothing. The address
   * space keeps the segment reachable while it is mapped; if its arena is closed by hand, unmap
   * first, since the device would go on using the pages.
   *
   * @param memory native memory whose address and size are multiples of {@link #granule}
   * @param iova where the device shall see it
   * @param access what the device may do with it
   * @throws IllegalArgumentException if the memory is empty, on the heap, or read-only and to be
   *     written, or if address, size or IOVA are not aligned or the range wraps around
   * @throws IllegalStateException if the memory has been freed
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the kernel refuses otherwise; nothing is mapped or pinned then
   */
  void map(MemorySegment memory, long iova, DmaAccess access) throws VfioException;

  /**
   * Maps memory at an IOVA that this address space chooses.
   *
   * @param memory as in {@link #map(MemorySegment, long, DmaAccess)}
   * @param access what the device may do with it
   * @return the mapping; closing it unmaps the memory
   * @throws IllegalArgumentException as {@link #map(MemorySegment, long, DmaAccess)}
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the kernel refuses otherwise; nothing is mapped or pinned then
   */
  DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException;

  /**
   * Unmaps what one call of {@link #map(MemorySegment, long, DmaAccess)} mapped, and unpins it.
   *
   * <p>Issues {@code IOMMU_IOAS_UNMAP} or {@code VFIO_IOMMU_UNMAP_DMA}; allocates nothing.
   *
   * @param iova where the mapping starts
   * @param size its size in bytes
   * @throws IllegalArgumentException if no mapping of that size starts there
   * @throws VfioException if the kernel refuses; the memory stays mapped then
   */
  void unmap(long iova, long size) throws VfioException;

  /**
   * Maps several regions, or none: where one cannot be mapped, those before it are unmapped again.
   * All are checked before the kernel sees the first.
   *
   * @param regions the regions, in any order; there may be holes between them
   * @throws IllegalArgumentException if two of them overlap, or as {@link #map(MemorySegment, long,
   *     DmaAccess)}
   * @throws IllegalStateException as {@link #map(MemorySegment, long, DmaAccess)}
   * @throws IovaInUseException if a part of one is mapped
   * @throws IovaOutOfRangeException if a part of one is outside {@link #iovaRanges}
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the kernel refuses otherwise; nothing of it is mapped or pinned then,
   *     unless the kernel refused to unmap too, of which the suppressed exceptions tell
   */
  void mapAll(List<MemoryRegion> regions) throws VfioException;

  /**
   * Maps those of several regions that are not mapped yet, or none, as {@link #mapAll} does. A
   * region that is mapped already, of the same memory, size and access at the same IOVA, is left
   * alone; so the memory of a virtual machine can be given whole each time that its layout has
   * grown. What is no longer part of it, {@link #unmapRange} unmaps.
   *
   * @param regions the regions, in any order; there may be holes between them
   * @return those that were not mapped before, ascending
   * @throws IllegalArgumentException as {@link #mapAll}
   * @throws IllegalStateException as {@link #mapAll}
   * @throws IovaInUseException if a part of one is mapped otherwise
   * @throws VfioException as {@link #mapAll}
   */
  List<MemoryRegion> mapMissing(List<MemoryRegion> regions) throws VfioException;

  /**
   * Unmaps and unpins all mappings that lie in a range. There may be holes between them.
   *
   * @param iova where the range starts
   * @param size its size in bytes, which may be more than can be mapped
   * @return how many bytes were mapped in it; 0 where nothing was
   * @throws IllegalArgumentException if a mapping reaches out of the range, which then changes
   *     nothing, or if the range is empty or wraps around
   * @throws VfioException if the kernel refuses; what it has unmapped by then stays unmapped
   */
  long unmapRange(long iova, long size) throws VfioException;

  /**
   * Unmaps and unpins everything. The buffers of this address space keep their memory, though no
   * device sees it any more, until they are closed.
   *
   * <p>Issues {@code IOMMU_IOAS_UNMAP}, or {@code VFIO_IOMMU_UNMAP_DMA} (Linux 5.12 was the first
   * that unmaps all at once).
   *
   * @throws VfioException if the kernel refuses; what it has unmapped by then stays unmapped
   */
  void unmapAll() throws VfioException;

  /**
   * Has the pages of memory there, as if each had been touched, so that mapping it soon after only
   * pins them. Mapping would touch them one after another, with nothing to see or to stop; this
   * takes several threads from 64 MiB on, at most one for each processor and never more than 8.
   * Contents do not change, and nothing is pinned yet.
   *
   * <p>Issues {@code madvise} with {@code MADV_POPULATE_WRITE}, or with {@code MADV_POPULATE_READ}
   * where devices shall only read: that reads files in, and is of little use for memory that
   * nothing has been written to. No lock is held meanwhile. The memory must not be freed before
   * this returns; no harm comes to other memory if it is.
   *
   * @param memory native memory whose address and size are multiples of the page size
   * @param access what devices shall do with it
   * @param progress hears how much is done
   * @return whether the pages are there; if not, this kernel cannot do it (Linux 5.14 was the first
   *     that could), or not with such memory: a device's, or what this process may not access so.
   *     Mapping is as good as before then
   * @throws IllegalArgumentException as {@link #map(MemorySegment, long, DmaAccess)}
   * @throws IllegalStateException if the memory has been freed
   * @throws VfioException if the thread is interrupted, and stays so, or if memory runs out or
   *     cannot be reached; the pages that are there by then stay
   */
  boolean populate(MemorySegment memory, DmaAccess access, Progress progress) throws VfioException;

  /**
   * Allocates zeroed memory, pins it and maps it for reading and writing. {@link #allocate(long,
   * Allocation)} in the usual way: a buffer of 2 MiB and more is on huge pages.
   *
   * @param size bytes, rounded up to whole pages
   * @return the buffer; this address space frees it if the caller does not
   * @throws IllegalArgumentException if the size is not positive
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if memory cannot be had or mapped, or if the thread is interrupted, and
   *     stays so; nothing is left allocated then
   */
  default DmaBuffer allocate(long size) throws VfioException {
    return allocate(size, Allocation.USUAL);
  }

  /**
   * Allocates zeroed memory, pins it and maps it for reading and writing.
   *
   * <p>Pinning takes every page at once, whether it is used or not: all of the size counts as
   * memory in use from now on, and against the limit of locked memory ({@code ulimit -l}), which is
   * looked at last. The kernel zeroes it all, and pins page by page; that is most of what this
   * takes, and far less on huge pages than on ordinary ones.
   *
   * <p>A buffer of 2 MiB and more starts at a multiple of 2 MiB, as does its IOVA where such a one
   * is free, and is on transparent huge pages ({@code madvise} with {@code MADV_HUGEPAGE}), unless
   * the kernel has none ({@code /sys/kernel/mm/transparent_hugepage/enabled}) or finds none free.
   * Its pages are touched as by {@link #populate}; interrupting the thread ends that.
   *
   * @param size bytes, rounded up to whole pages
   * @param how on which pages, and who hears of it
   * @return the buffer; this address space frees it if the caller does not
   * @throws IllegalArgumentException if the size is not positive
   * @throws IllegalStateException if the address space is closed, also meanwhile
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if memory cannot be had or mapped, or if the thread is interrupted, and
   *     stays so; nothing is left allocated then
   */
  DmaBuffer allocate(long size, Allocation how) throws VfioException;

  /**
   * Allocates zeroed memory of huge pages that were set apart for it ({@code nr_hugepages}), pins
   * it and maps it for reading and writing. Its pages are touched as by {@link #populate}.
   *
   * @param size bytes, rounded up to whole huge pages
   * @param hugePageSize bytes of one huge page, for example {@code 2 << 20}
   * @return the buffer; this address space frees it if the caller does not
   * @throws IllegalArgumentException if the size is not positive, or the page size is not a power
   *     of two larger than an ordinary page
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the system has no such huge pages free, the kernel refuses otherwise,
   *     or the thread is interrupted, and stays so; nothing is left allocated then
   */
  DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException;

  /**
   * Closes the address space: unmaps and unpins everything in it and frees its buffers. Later calls
   * do nothing.
   *
   * @throws DeviceBusyException if devices are attached to it; close or detach them first. It stays
   *     open then
   * @throws VfioException if closing went wrong otherwise; all that could be closed is closed
   */
  @Override
  void close() throws VfioException;
}
