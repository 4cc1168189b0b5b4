package io.github.vfio4j.iommufd;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_ioas_allow_iovas;
import io.github.vfio4j.bindings.iommu_ioas_noiommu_get_pa;
import io.github.vfio4j.bindings.iommu_iova_range;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.mapping.AddressSpace;
import io.github.vfio4j.mapping.MappingTable;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An IO address space of iommufd. Devices are attached to it with {@link CdevDevice#attach}.
 *
 * <p>Unlike a {@link io.github.vfio4j.container.Container} it can be mapped before any device is
 * there. Its {@link Iommufd} owns it; it owns the {@linkplain #allocateHwpt page tables} made from
 * it.
 */
@SuppressWarnings("exports") // the engine is for the packages of this module
public final class Ioas implements IoAddressSpace, PageTable, AddressSpace.Owner {
  private final Iommufd iommufd;
  private final int id;
  private final IoasChannel channel;
  private final AddressSpace space;
  private final Dependents dependents = new Dependents();

  /** Takes over a fresh IOAS and reads its ranges. */
  Ioas(Iommufd iommufd, Fd file, int id) throws VfioException {
    this.iommufd = iommufd;
    this.id = id;
    try (Rollback rollback = new Rollback()) {
      this.channel =
          rollback.make(() -> new IoasChannel(iommufd.kernel(), file, id), IoasChannel::release);
      this.space =
          new AddressSpace(iommufd.kernel(), "IOAS " + Integer.toUnsignedString(id), channel);
      refreshRanges();
      rollback.done(this);
    }
  }

  /** Binds a device and attaches it, or leaves nothing open. */
  CdevDevice openDevice(HostDevice device, BackendChoice choice) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      CdevDevice opened = rollback.make(() -> iommufd.bind(device, choice), CdevDevice::close);
      opened.attach(this);
      return rollback.done(opened);
    }
  }

  /**
   * Binds a device to the iommufd and attaches it to this address space.
   *
   * @param device the device, as sysfs shows it
   * @return the open device; the caller closes it, or the iommufd does
   * @throws VfioException as {@link Iommufd#bind(HostDevice)} and {@link
   *     CdevDevice#attach(PageTable)}; nothing is left open then
   */
  public CdevDevice openDevice(HostDevice device) throws VfioException {
    return openDevice(
        device, new BackendChoice(Backend.IOMMUFD, "the address space is of that interface"));
  }

  Dependents dependents() {
    return dependents;
  }

  /**
   * For the packages of this module.
   *
   * @return the engine
   */
  @Override
  public AddressSpace engine() {
    return space;
  }

  /**
   * For the packages of this module.
   *
   * @param file an open file that can be mapped by its number; it is open while this is used
   * @return what maps it from its start on
   */
  public AddressSpace.Mapper mapperOf(Fd file) {
    return (iova, size, backing, access) ->
        file.call(fd -> channel.mapFile(fd, 0, iova, size, access));
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
    synchronized (space.lock()) {
      space.requireOpen();
      IoasRanges current = IoasRanges.read(channel, id);
      space.accept(current.ranges(), Math.max(current.alignment(), iommufd.kernel().pageSize()));
    }
  }

  @Override
  public List<IovaRange> iovaRanges() {
    return space.iovaRanges();
  }

  @Override
  public long granule() {
    return space.granule();
  }

  @Override
  public void map(MemorySegment memory, long iova, DmaAccess access) throws VfioException {
    space.map(iova, memory, access);
  }

  @Override
  public DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException {
    return space.map(memory, access);
  }

  @Override
  public void unmap(long iova, long size) throws VfioException {
    space.unmap(iova, size);
  }

  @Override
  public void mapAll(List<MemoryRegion> regions) throws VfioException {
    space.mapAll(regions);
  }

  @Override
  public List<MemoryRegion> mapMissing(List<MemoryRegion> regions) throws VfioException {
    return space.mapMissing(regions);
  }

  @Override
  public long unmapRange(long iova, long size) throws VfioException {
    return space.unmapRange(iova, size);
  }

  @Override
  public void unmapAll() throws VfioException {
    space.unmapAll();
  }

  @Override
  public boolean populate(MemorySegment memory, DmaAccess access, Progress progress)
      throws VfioException {
    return space.populate(memory, access, progress);
  }

  @Override
  public DmaBuffer allocate(long size, Allocation how) throws VfioException {
    return space.allocate(size, how);
  }

  @Override
  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    return space.allocateHuge(size, hugePageSize);
  }

  /**
   * Makes a page table that holds what is mapped here; {@code IOMMU_HWPT_ALLOC}.
   *
   * @param device for which device: it decides the IOMMU and the format. Others can be attached if
   *     their IOMMU takes it too
   * @param flags what it shall be able to do
   * @return the page table; this address space owns it
   * @throws IllegalArgumentException if the device is bound to another iommufd
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
   * @throws IllegalArgumentException if the device or the queue belongs to another iommufd
   * @throws VfioException as {@link #allocateHwpt(BoundDevice, HwptFlag...)}
   */
  public HwptPaging allocateHwpt(BoundDevice device, @Nullable FaultQueue faults, HwptFlag... flags)
      throws VfioException {
    synchronized (iommufd) {
      requireOpenNow();
      iommufd.require(device);
      try (Rollback rollback = new Rollback()) {
        HwptPaging hwpt =
            rollback.make(
                () -> HwptPaging.allocate(this, device, HwptPaging.setOf(flags), faults),
                HwptPaging::close);
        refreshRanges();
        return rollback.done(hwpt);
      }
    }
  }

  /** Shows what is mapped here. */
  void forEachMapping(MappingTable.Visitor visitor) throws VfioException {
    synchronized (space.lock()) {
      space.requireOpen();
      space.forEachMapping(visitor);
    }
  }

  /** Takes over a part of a file that another process has mapped. */
  void takeOver(long iova, long size, DmaAccess access) throws VfioException {
    space.takeOver(iova, size, placeholder(), access);
  }

  /** Refuses a closed address space. Called with the monitor of the iommufd held. */
  void requireOpenNow() {
    synchronized (space.lock()) {
      space.requireOpen();
    }
  }

  /**
   * Maps a part of a file at a chosen IOVA; {@code IOMMU_IOAS_MAP_FILE}. The kernel pins the file's
   * pages, whoever has them in memory.
   *
   * @param fd the number of an open file: a memfd, or a dma-buf of a kind that the kernel knows, as
   *     VFIO makes of a device's registers. It may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param iova where the device shall see it
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @throws IllegalArgumentException if a number is not whole pages, or the range wraps around
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws UnsupportedByKernelException if this kernel cannot (Linux 6.13 was the first)
   * @throws VfioException if the kernel refuses otherwise, for example because the file is not such
   *     a file; nothing is mapped or pinned then
   */
  public void mapFile(int fd, long offset, long iova, long size, DmaAccess access)
      throws VfioException {
    requireWholePages(offset);
    space.map(
        iova,
        size,
        placeholder(),
        access,
        Ioctl.IOMMU_IOAS_MAP_FILE,
        (at, bytes, backing, how) -> channel.mapFile(fd, offset, at, bytes, how));
  }

  /**
   * Maps a part of a file at an IOVA that this address space chooses.
   *
   * @param fd as in {@link #mapFile(int, long, long, long, DmaAccess)}
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @return the mapping; closing it unmaps the file
   * @throws IllegalArgumentException if a number is not whole pages
   * @throws IovaExhaustedException if no range is large enough
   * @throws VfioException as {@link #mapFile(int, long, long, long, DmaAccess)}
   */
  public DmaMapping mapFile(int fd, long offset, long size, DmaAccess access) throws VfioException {
    requireWholePages(offset);
    return space.map(
        size,
        placeholder(),
        access,
        Ioctl.IOMMU_IOAS_MAP_FILE,
        (at, bytes, backing, how) -> channel.mapFile(fd, offset, at, bytes, how));
  }

  /**
   * Maps a part of a memory file at an IOVA that this address space chooses.
   *
   * @param file the file; it may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @return the mapping; closing it unmaps the file
   * @throws IllegalArgumentException if a number is not whole pages
   * @throws IllegalStateException if the file is closed
   * @throws VfioException as {@link #mapFile(int, long, long, DmaAccess)}
   */
  public DmaMapping mapFile(MemoryFile file, long offset, long size, DmaAccess access)
      throws VfioException {
    int fd = file.file().acquire();
    try {
      return mapFile(fd, offset, size, access);
    } finally {
      file.file().release();
    }
  }

  /**
   * Maps a part of a memory file at a chosen IOVA.
   *
   * @param file the file; it may be closed after mapping
   * @param offset where in the file, a multiple of {@link #granule}
   * @param iova where the device shall see it
   * @param size bytes, a multiple of {@link #granule}
   * @param access what the device may do with it
   * @throws IllegalArgumentException if a number is not whole pages, or the range wraps around
   * @throws IllegalStateException if the file is closed
   * @throws VfioException as {@link #mapFile(int, long, long, long, DmaAccess)}
   */
  public void mapFile(MemoryFile file, long offset, long iova, long size, DmaAccess access)
      throws VfioException {
    int fd = file.file().acquire();
    try {
      mapFile(fd, offset, iova, size, access);
    } finally {
      file.file().release();
    }
  }

  private void requireWholePages(long offset) {
    if (offset < 0 || !Alignment.isMultiple(offset, granule())) {
      throw new IllegalArgumentException(
          "Cannot map a file from 0x%x on: it is not a multiple of %d"
              .formatted(offset, granule()));
    }
  }

  /** What stands in the table for something that is no memory of this process. */
  private static MemorySegment placeholder() {
    return MemorySegment.ofArray(new byte[0]);
  }

  /**
   * Maps here, at a chosen IOVA, what is mapped in another address space; {@code IOMMU_IOAS_COPY}.
   * The memory is pinned and counted only once.
   *
   * @param source the other address space, of the same iommufd; it may be this one
   * @param sourceIova where its mapping starts
   * @param iova where the device shall see it here
   * @param size bytes of that mapping
   * @param access what the device may do with it here
   * @throws IllegalArgumentException if the source is another iommufd's, or no mapping of that size
   *     starts there
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws VfioException if the kernel refuses otherwise, as it does write access to what is
   *     mapped read-only in the source; nothing is mapped then
   */
  public void copy(Ioas source, long sourceIova, long iova, long size, DmaAccess access)
      throws VfioException {
    iommufd.require(source);
    synchronized (iommufd) { // under which alone two address spaces are locked, in any order
      synchronized (space.lock()) {
        synchronized (source.space.lock()) {
          space.requireOpen();
          source.space.requireOpen();
          space.map(
              iova,
              size,
              source.space.backing(sourceIova, size),
              access,
              Ioctl.IOMMU_IOAS_COPY,
              (at, bytes, backing, how) -> channel.copy(source.id, sourceIova, at, bytes, how));
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
   * @throws IllegalArgumentException if the source is another iommufd's, or no mapping of that size
   *     starts there
   * @throws IovaExhaustedException if no range is large enough
   * @throws VfioException as {@link #copy(Ioas, long, long, long, DmaAccess)}
   */
  public DmaMapping copy(Ioas source, long sourceIova, long size, DmaAccess access)
      throws VfioException {
    iommufd.require(source);
    synchronized (iommufd) { // under which alone two address spaces are locked, in any order
      synchronized (space.lock()) {
        synchronized (source.space.lock()) {
          space.requireOpen();
          source.space.requireOpen();
          return space.map(
              size,
              source.space.backing(sourceIova, size),
              access,
              Ioctl.IOMMU_IOAS_COPY,
              (at, bytes, backing, how) -> channel.copy(source.id, sourceIova, at, bytes, how));
        }
      }
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
    List<IovaRange> promised = List.copyOf(allowed); // another thread may change the caller's
    requireDisjoint(promised);
    synchronized (space.lock()) {
      space.requireOpen();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment list = arena.allocate(iommu_iova_range.LAYOUT, Math.max(1, promised.size()));
        for (int i = 0; i < promised.size(); i++) {
          MemorySegment range = list.asSlice(i * iommu_iova_range.SIZEOF, iommu_iova_range.SIZEOF);
          iommu_iova_range.start(range, promised.get(i).first());
          iommu_iova_range.last(range, promised.get(i).last());
        }
        MemorySegment request = Request.of(arena, iommu_ioas_allow_iovas.LAYOUT);
        iommu_ioas_allow_iovas.ioas_id(request, id);
        iommu_ioas_allow_iovas.num_iovas(request, promised.size());
        iommu_ioas_allow_iovas.allowed_iovas(request, list.address());
        int answer = channel.ioctl(Ioctl.IOMMU_IOAS_ALLOW_IOVAS, request);
        if (answer < 0) {
          throw Answer.failure(
              Ioctl.IOMMU_IOAS_ALLOW_IOVAS,
              toString(),
              answer,
              Answer.is(answer, Errno.EADDRINUSE)
                  ? promised + " is not within " + iovaRanges()
                  : "");
        }
      }
      space.prefer(promised);
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
   * Returns whether the kernel maps contiguous pages as one; {@code IOMMU_OPTION}.
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
   * Returns which physical memory is behind an IOVA, for a device that no IOMMU guards ({@link
   * Iommufd#bindWithoutIommu}); {@code IOMMU_IOAS_NOIOMMU_GET_PA}.
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
      throw new IllegalArgumentException("size must be positive: " + size);
    }
    synchronized (space.lock()) {
      space.requireOpen();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request = Request.of(arena, iommu_ioas_noiommu_get_pa.LAYOUT);
        iommu_ioas_noiommu_get_pa.ioas_id(request, id);
        iommu_ioas_noiommu_get_pa.iova(request, iova);
        iommu_ioas_noiommu_get_pa.length(request, size);
        Answer.require(
            Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA,
            toString(),
            channel.ioctl(Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA, request));
        long contiguous = iommu_ioas_noiommu_get_pa.length(request);
        if (contiguous <= 0 || contiguous > size) {
          throw Answer.impossible(
              Ioctl.IOMMU_IOAS_NOIOMMU_GET_PA, toString(), contiguous + " of " + size + " bytes");
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
    Closing closing = new Closing();
    synchronized (iommufd) {
      if (iommufd.isInUse(this, dependents) || dependents.close(closing) || iommufd.isClosed()) {
        closing.attempt(() -> space.close(this::release));
      }
    }
    closing.rethrow();
  }

  private boolean release(Closing closing) {
    boolean gone = closing.attempt(this::destroy) || iommufd.isClosed();
    if (gone) {
      leave();
    }
    return gone;
  }

  private void destroy() throws VfioException {
    int answer = iommufd.destroy(id);
    if (answer < 0) {
      throw Answer.failure(
          Ioctl.IOMMU_DESTROY,
          toString(),
          answer,
          Answer.is(answer, Errno.EBUSY)
              ? "devices are attached to it; close or detach them first"
              : "");
    }
  }

  private void leave() {
    channel.release();
    iommufd.forget(this);
  }

  /** Ends this object, and leaves the kernel's as it is. */
  void abandon() throws VfioException {
    space.close(
        closing -> {
          leave();
          return true;
        });
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return space.toString();
  }
}
