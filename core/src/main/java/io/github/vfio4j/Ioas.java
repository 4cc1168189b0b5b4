package io.github.vfio4j;

import io.github.vfio4j.bindings.iommu_ioas_allow_iovas;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_noiommu_get_pa;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_iova_range;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An IO address space of iommufd. Devices are attached to it with {@link CdevDevice#attach}.
 *
 * <p>Unlike a {@link Container} it can be mapped before any device is there. Its {@link Iommufd}
 * owns it; it owns the {@linkplain #allocateHwpt page tables} made from it.
 */
public final class Ioas extends IoAddressSpace implements PageTable {
  private final Iommufd iommufd;
  private final Fd fd;
  private final int fdNumber;
  private final int id;
  private final Dependents dependents = new Dependents();
  private final MemorySegment mapRequest;
  private final MemorySegment unmapRequest;

  /** Takes over a fresh IOAS and reads its ranges. */
  Ioas(Iommufd iommufd, Fd fd, int id) throws VfioException {
    super(iommufd.kernel(), "IOAS " + id);
    this.iommufd = iommufd;
    this.fd = fd;
    this.fdNumber = fd.acquire();
    this.id = id;
    this.mapRequest = Arena.ofAuto().allocate(iommu_ioas_map.LAYOUT);
    this.unmapRequest = Arena.ofAuto().allocate(iommu_ioas_unmap.LAYOUT);
    iommu_ioas_map.size(mapRequest, (int) iommu_ioas_map.SIZEOF);
    iommu_ioas_map.ioas_id(mapRequest, id);
    iommu_ioas_unmap.size(unmapRequest, (int) iommu_ioas_unmap.SIZEOF);
    iommu_ioas_unmap.ioas_id(unmapRequest, id);
    try {
      refreshRanges();
    } catch (VfioException | RuntimeException e) {
      fd.release();
      throw e;
    }
  }

  Dependents dependents() {
    return dependents;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public Iommufd iommufd() {
    return iommufd;
  }

  @Override
  public Backend backend() {
    return Backend.IOMMUFD;
  }

  /**
   * Reads the ranges again; {@code IOMMU_IOAS_IOVA_RANGES}. Only who attaches a device that is no
   * {@link CdevDevice} has to call this: such a device narrows them unseen.
   *
   * @throws VfioException if the kernel refuses
   */
  public void refreshRanges() throws VfioException {
    synchronized (lock) {
      requireOpen();
      IoasRanges current = IoasRanges.read(fd, id);
      accept(current.ranges(), Math.max(current.alignment(), kernel.pageSize()));
    }
  }

  @Override
  Ioctl mapOperation() {
    return Ioctl.IOMMU_IOAS_MAP;
  }

  @Override
  Ioctl unmapOperation() {
    return Ioctl.IOMMU_IOAS_UNMAP;
  }

  @Override
  void requireMappable() {}

  @Override
  int kernelMap(long address, long size, long iova, DmaAccess access) {
    iommu_ioas_map.flags(mapRequest, flags(access));
    iommu_ioas_map.user_va(mapRequest, address);
    iommu_ioas_map.length(mapRequest, size);
    iommu_ioas_map.iova(mapRequest, iova);
    return kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_MAP.number(), mapRequest);
  }

  @Override
  int kernelUnmap(long iova, long size) {
    iommu_ioas_unmap.iova(unmapRequest, iova);
    iommu_ioas_unmap.length(unmapRequest, size);
    int answer = kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_UNMAP.number(), unmapRequest);
    if (answer >= 0 && iommu_ioas_unmap.length(unmapRequest) != size) {
      return -Errno.EIO.number();
    }
    return answer;
  }

  @Override
  int kernelUnmapAll() {
    iommu_ioas_unmap.iova(unmapRequest, 0);
    iommu_ioas_unmap.length(unmapRequest, -1);
    return kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_UNMAP.number(), unmapRequest);
  }

  /**
   * Makes a page table that holds what is mapped here; {@code IOMMU_HWPT_ALLOC}.
   *
   * @param device for which device: it decides the IOMMU and the format. Others can be attached if
   *     their IOMMU takes it too
   * @param flags what it shall be able to do
   * @return the page table; this address space owns it
   * @throws UnsupportedByKernelException if this kernel or this IOMMU cannot do what is asked
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning what is
   *     mapped here
   * @throws VfioException if the kernel refuses otherwise
   */
  public HwptPaging allocateHwpt(BoundDevice device, HwptFlag... flags) throws VfioException {
    return allocateHwpt(device, null, flags);
  }

  /**
   * Makes a page table as {@link #allocateHwpt(BoundDevice, HwptFlag...)} does, whose page faults
   * are delivered to user space.
   *
   * @param device for which device
   * @param faults where page faults go, or null for nowhere
   * @param flags what it shall be able to do
   * @return the page table; it ends with this address space and with the fault queue
   * @throws VfioException as {@link #allocateHwpt(BoundDevice, HwptFlag...)}
   */
  public HwptPaging allocateHwpt(BoundDevice device, @Nullable FaultQueue faults, HwptFlag... flags)
      throws VfioException {
    synchronized (iommufd) {
      requireOpenNow();
      iommufd.require(device);
      HwptPaging hwpt = HwptPaging.allocate(this, device, HwptPaging.setOf(flags), faults);
      try {
        refreshRanges();
        return hwpt;
      } catch (VfioException | RuntimeException e) {
        FirstFailure.undo(e, hwpt::close);
        throw e;
      }
    }
  }

  /** Refuses a closed address space. Called with the monitor of the iommufd held. */
  void requireOpenNow() {
    synchronized (lock) {
      requireOpen();
    }
  }

  /**
   * Maps a part of a file at a chosen IOVA; {@code IOMMU_IOAS_MAP_FILE}. The kernel pins the file's
   * pages, whoever has them in memory.
   *
   * @param file the number of an open file: a memfd, or a dma-buf of a kind that the kernel knows,
   *     as VFIO makes of a device's registers. It may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param iova where the device shall see it
   * @param access what the device may do with it
   * @throws IllegalArgumentException if a number is not whole pages, or the range wraps around
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 6.13 was the first)
   * @throws VfioException if the kernel refuses otherwise, as it does what is not such a file;
   *     nothing is mapped or pinned then
   */
  public void mapFile(int file, long offset, long size, long iova, DmaAccess access)
      throws VfioException {
    synchronized (lock) {
      requireOpen();
      requireWholePages(offset);
      map(
          Ioctl.IOMMU_IOAS_MAP_FILE,
          size,
          iova,
          placeholder(),
          access,
          at -> kernelMapFile(file, offset, size, at, access));
    }
  }

  /**
   * Maps a part of a file at an IOVA that this address space chooses.
   *
   * @param file as in {@link #mapFile(int, long, long, long, DmaAccess)}
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @return the mapping; closing it unmaps the file
   * @throws IovaExhaustedException if no range is large enough
   * @throws VfioException as {@link #mapFile(int, long, long, long, DmaAccess)}
   */
  public DmaMapping mapFile(int file, long offset, long size, DmaAccess access)
      throws VfioException {
    synchronized (lock) {
      requireOpen();
      requireWholePages(offset);
      return mapAnywhere(
          Ioctl.IOMMU_IOAS_MAP_FILE,
          size,
          placeholder(),
          access,
          at -> kernelMapFile(file, offset, size, at, access));
    }
  }

  /**
   * Maps a part of a memory file at an IOVA that this address space chooses.
   *
   * @param file the file; it may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @return the mapping; closing it unmaps the file
   * @throws IllegalStateException if the file is closed
   * @throws VfioException as {@link #mapFile(int, long, long, DmaAccess)}
   */
  public DmaMapping mapFile(MemoryFile file, long offset, long size, DmaAccess access)
      throws VfioException {
    int number = file.fd().acquire();
    try {
      return mapFile(number, offset, size, access);
    } finally {
      file.fd().release();
    }
  }

  /**
   * Maps a part of a memory file at a chosen IOVA.
   *
   * @param file the file; it may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param iova where the device shall see it
   * @param access what the device may do with it
   * @throws IllegalStateException if the file is closed
   * @throws VfioException as {@link #mapFile(int, long, long, long, DmaAccess)}
   */
  public void mapFile(MemoryFile file, long offset, long size, long iova, DmaAccess access)
      throws VfioException {
    int number = file.fd().acquire();
    try {
      mapFile(number, offset, size, iova, access);
    } finally {
      file.fd().release();
    }
  }

  private void requireWholePages(long offset) {
    if (offset < 0 || (offset & granule() - 1) != 0) {
      throw new IllegalArgumentException(
          "Cannot map a file from 0x%x on: it is not a multiple of %d"
              .formatted(offset, granule()));
    }
  }

  /** What stands in the table for something that is no memory of this process. */
  private static MemorySegment placeholder() {
    return MemorySegment.ofArray(new byte[0]);
  }

  private int kernelMapFile(int file, long offset, long size, long iova, DmaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_ioas_map_file.LAYOUT);
      iommu_ioas_map_file.size(request, (int) iommu_ioas_map_file.SIZEOF);
      iommu_ioas_map_file.flags(request, flags(access));
      iommu_ioas_map_file.ioas_id(request, id);
      iommu_ioas_map_file.fd(request, file);
      iommu_ioas_map_file.start(request, offset);
      iommu_ioas_map_file.length(request, size);
      iommu_ioas_map_file.iova(request, iova);
      return kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_MAP_FILE.number(), request);
    }
  }

  private static int flags(DmaAccess access) {
    return iommufd_h.IOMMU_IOAS_MAP_FIXED_IOVA
        | (access.readable() ? iommufd_h.IOMMU_IOAS_MAP_READABLE : 0)
        | (access.writable() ? iommufd_h.IOMMU_IOAS_MAP_WRITEABLE : 0);
  }

  /**
   * Maps here, at a chosen IOVA, what is mapped in another address space; {@code IOMMU_IOAS_COPY}.
   * The memory is pinned and counted only once.
   *
   * @param source the other address space, of the same iommufd; it may be this one
   * @param sourceIova where its mapping starts
   * @param size bytes of that mapping
   * @param iova where the device shall see it here
   * @param access what the device may do with it here
   * @throws IllegalArgumentException if the source is another iommufd's, or no mapping of that size
   *     starts there
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws VfioException if the kernel refuses otherwise, as it does write access to what is
   *     mapped read-only in the source; nothing is mapped then
   */
  public void copy(Ioas source, long sourceIova, long size, long iova, DmaAccess access)
      throws VfioException {
    iommufd.require(source);
    synchronized (iommufd) { // under which alone two address spaces are locked, in any order
      synchronized (lock) {
        synchronized (source.lock) {
          requireOpen();
          source.requireOpen();
          map(
              Ioctl.IOMMU_IOAS_COPY,
              size,
              iova,
              source.backing(sourceIova, size),
              access,
              at -> kernelCopy(source, sourceIova, size, at, access));
        }
      }
    }
  }

  /**
   * Maps here, at an IOVA that this address space chooses, what is mapped in another.
   *
   * @param source as in {@link #copy(Ioas, long, long, long, DmaAccess)}
   * @param sourceIova where its mapping starts
   * @param size bytes of that mapping
   * @param access what the device may do with it here
   * @return the mapping; closing it unmaps the memory here
   * @throws IovaExhaustedException if no range is large enough
   * @throws VfioException as {@link #copy(Ioas, long, long, long, DmaAccess)}
   */
  public DmaMapping copy(Ioas source, long sourceIova, long size, DmaAccess access)
      throws VfioException {
    iommufd.require(source);
    synchronized (iommufd) { // under which alone two address spaces are locked, in any order
      synchronized (lock) {
        synchronized (source.lock) {
          requireOpen();
          source.requireOpen();
          return mapAnywhere(
              Ioctl.IOMMU_IOAS_COPY,
              size,
              source.backing(sourceIova, size),
              access,
              at -> kernelCopy(source, sourceIova, size, at, access));
        }
      }
    }
  }

  private int kernelCopy(Ioas source, long sourceIova, long size, long iova, DmaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(iommu_ioas_copy.LAYOUT);
      iommu_ioas_copy.size(request, (int) iommu_ioas_copy.SIZEOF);
      iommu_ioas_copy.flags(request, flags(access));
      iommu_ioas_copy.dst_ioas_id(request, id);
      iommu_ioas_copy.src_ioas_id(request, source.id);
      iommu_ioas_copy.length(request, size);
      iommu_ioas_copy.dst_iova(request, iova);
      iommu_ioas_copy.src_iova(request, sourceIova);
      return kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_COPY.number(), request);
    }
  }

  /**
   * Keeps ranges mappable for ever; {@code IOMMU_IOAS_ALLOW_IOVAS}. A device that would take a part
   * of them away, by a reserved range of its own, cannot be attached from then on. Where this
   * address space chooses IOVAs itself, it chooses them in these ranges.
   *
   * @param allowed the ranges, in place of those of an earlier call; none for no such promise
   * @throws IllegalArgumentException if two ranges overlap
   * @throws VfioException if the kernel refuses, as it does with EADDRINUSE what cannot be mapped
   *     now; the earlier ranges stay then
   */
  public void allowIovas(List<IovaRange> allowed) throws VfioException {
    synchronized (lock) {
      requireOpen();
      requireDisjoint(allowed);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request = arena.allocate(iommu_ioas_allow_iovas.LAYOUT);
        MemorySegment list = arena.allocate(iommu_iova_range.LAYOUT, Math.max(1, allowed.size()));
        for (int i = 0; i < allowed.size(); i++) {
          MemorySegment range = list.asSlice(i * iommu_iova_range.SIZEOF, iommu_iova_range.SIZEOF);
          iommu_iova_range.start(range, allowed.get(i).first());
          iommu_iova_range.last(range, allowed.get(i).last());
        }
        iommu_ioas_allow_iovas.size(request, (int) iommu_ioas_allow_iovas.SIZEOF);
        iommu_ioas_allow_iovas.ioas_id(request, id);
        iommu_ioas_allow_iovas.num_iovas(request, allowed.size());
        iommu_ioas_allow_iovas.allowed_iovas(request, list.address());
        int answer = kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_ALLOW_IOVAS.number(), request);
        if (answer < 0) {
          throw Failure.of(
              Ioctl.IOMMU_IOAS_ALLOW_IOVAS,
              object,
              answer,
              answer == -Errno.EADDRINUSE.number()
                  ? allowed + " is not within " + iovaRanges()
                  : "");
        }
      }
      prefer(allowed);
    }
  }

  private static void requireDisjoint(List<IovaRange> ranges) {
    for (int i = 0; i < ranges.size(); i++) {
      for (IovaRange later : ranges.subList(i + 1, ranges.size())) {
        if (ranges.get(i).overlaps(later)) {
          throw new IllegalArgumentException(ranges.get(i) + " and " + later + " overlap");
        }
      }
    }
  }

  /**
   * Tells whether the kernel maps contiguous pages as one; {@code IOMMU_OPTION}.
   *
   * @return whether it does, as it does unless told otherwise
   * @throws VfioException if the kernel refuses
   */
  public boolean hugePages() throws VfioException {
    synchronized (iommufd) {
      requireOpenNow();
      return iommufd.option(iommufd_h.IOMMU_OPTION_HUGE_PAGES, iommufd_h.IOMMU_OPTION_OP_GET, id, 0)
          != 0;
    }
  }

  /**
   * Chooses whether the kernel maps contiguous pages as one; {@code IOMMU_OPTION}. Not doing so is
   * for measuring and for fine dirty tracking.
   *
   * @param combined whether to
   * @throws VfioException if the kernel refuses, as it does where page tables hold such mappings
   */
  public void setHugePages(boolean combined) throws VfioException {
    synchronized (iommufd) {
      requireOpenNow();
      iommufd.option(
          iommufd_h.IOMMU_OPTION_HUGE_PAGES, iommufd_h.IOMMU_OPTION_OP_SET, id, combined ? 1 : 0);
    }
  }

  /**
   * Tells which physical memory is behind an IOVA, for a device that no IOMMU guards ({@link
   * CdevDevice#bindWithoutIommu}); {@code IOMMU_IOAS_NOIOMMU_GET_PA}.
   *
   * @param iova a mapped address
   * @param size how many bytes to look at, above 0
   * @return the physical address, and how much of the size is contiguous behind it
   * @throws IllegalArgumentException if the size is not positive
   * @throws NotPermittedException if this process has not the capability CAP_SYS_RAWIO
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 7.3 was the first)
   * @throws VfioException if the kernel refuses otherwise; ENOENT says that nothing is mapped there
   */
  public PhysicalRange physicalAddress(long iova, long size) throws VfioException {
    if (size <= 0) {
      throw new IllegalArgumentException("Not a size to look at: " + size);
    }
    synchronized (lock) {
      requireOpen();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request = arena.allocate(iommu_ioas_noiommu_get_pa.LAYOUT);
        iommu_ioas_noiommu_get_pa.size(request, (int) iommu_ioas_noiommu_get_pa.SIZEOF);
        iommu_ioas_noiommu_get_pa.ioas_id(request, id);
        iommu_ioas_noiommu_get_pa.iova(request, iova);
        iommu_ioas_noiommu_get_pa.length(request, size);
        int answer = kernel.ioctl(fdNumber, Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA.number(), request);
        if (answer < 0) {
          throw Failure.of(Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA, object, answer);
        }
        long contiguous = iommu_ioas_noiommu_get_pa.length(request);
        if (contiguous <= 0 || contiguous > size) {
          throw new VfioException(
              Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA.name(),
              object,
              null,
              "the kernel's reply has " + contiguous + " of " + size + " bytes");
        }
        return new PhysicalRange(iommu_ioas_noiommu_get_pa.out_phys(request), contiguous);
      }
    }
  }

  /**
   * Closes the address space after the page tables made from it; unmaps and unpins everything in it
   * and frees its buffers. Later calls do nothing.
   *
   * @throws DeviceBusyException if devices are attached to it or to such a page table; close or
   *     detach them first. It stays open then
   * @throws VfioException if closing went wrong otherwise; all that could be closed is closed
   */
  @Override
  public void close() throws VfioException {
    FirstFailure failure = new FirstFailure();
    synchronized (iommufd) {
      if (iommufd.isInUse(this, dependents) || dependents.close(failure) || iommufd.isClosed()) {
        failure.attempt(super::close);
      }
    }
    failure.rethrow();
  }

  @Override
  boolean release(FirstFailure failure) {
    int answer = iommufd.destroy(id);
    if (answer == -Errno.EBUSY.number() && !iommufd.isClosed()) {
      failure.add(
          Failure.of(
              Ioctl.IOMMU_DESTROY,
              object,
              answer,
              "devices are attached to it; close or detach them first"));
      return false;
    }
    if (answer < 0) {
      failure.add(Failure.of(Ioctl.IOMMU_DESTROY, object, answer));
    }
    fd.release();
    iommufd.forget(this);
    return true;
  }
}
