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
   * Allocates zeroed memory of ordinary pages, pins it and maps it for reading and writing.
   *
   * @param size bytes, rounded up to whole pages
   * @return the buffer; this address space frees it if the caller does not
   * @throws IllegalArgumentException if the size is not positive
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if memory cannot be had or mapped; nothing is left allocated then
   */
  DmaBuffer allocate(long size) throws VfioException;

  /**
   * Allocates zeroed memory of huge pages, pins it and maps it for reading and writing.
   *
   * @param size bytes, rounded up to whole huge pages
   * @param hugePageSize bytes of one huge page, for example {@code 2 << 20}
   * @return the buffer; this address space frees it if the caller does not
   * @throws IllegalArgumentException if the size is not positive, or the page size is not a power
   *     of two larger than an ordinary page
   * @throws IovaExhaustedException if no range is large enough
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the system has no such huge pages free, or the kernel refuses
   *     otherwise; nothing is left allocated then
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
