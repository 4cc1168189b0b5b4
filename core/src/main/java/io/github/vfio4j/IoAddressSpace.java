package io.github.vfio4j;

import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An IO address space: which memory a device sees at which IO virtual address (IOVA).
 *
 * <p>It is a {@link Container} on the legacy interface and an {@link Ioas} on iommufd; a driver
 * written to this type runs on either. IOVAs are unsigned 64-bit numbers, sizes are bytes.
 *
 * <p>The address space owns what is mapped into it: closing it unmaps everything and frees its
 * {@link DmaBuffer}s. All methods may be called from any thread; maps and unmaps of one address
 * space run one after another. After {@link #close} they throw {@link IllegalStateException}.
 */
public abstract sealed class IoAddressSpace implements AutoCloseable permits Container, Ioas {
  final Kernel kernel;
  final String object;

  /** Guards all that follows, and every ioctl that maps or unmaps. */
  final Object lock = new Object();

  private final MappingTable mappings = new MappingTable();
  private final VacantIovas vacant = new VacantIovas();
  private final Set<DmaBuffer> buffers = new LinkedHashSet<>();
  private IovaAllocator allocator;
  private List<IovaRange> ranges;
  private long granule;
  private List<IovaRange> preferred = List.of();
  private boolean closing;
  private boolean closed;

  IoAddressSpace(Kernel kernel, String object) {
    this.kernel = kernel;
    this.object = object;
    this.granule = kernel.pageSize();
    this.ranges = List.of(new IovaRange(0, -1));
    this.allocator = new IovaAllocator(granule, ranges);
  }

  /** Which ioctl maps, for messages. */
  abstract Ioctl mapOperation();

  /** Which ioctl unmaps, for messages. */
  abstract Ioctl unmapOperation();

  /** Asks the kernel to map; answers as the kernel does. Called with the lock held. */
  abstract int kernelMap(long address, long size, long iova, DmaAccess access);

  /** Asks the kernel to unmap; answers 0 or the negated errno. Called with the lock held. */
  abstract int kernelUnmap(long iova, long size);

  /** Asks the kernel to unmap everything; answers as it does. Called with the lock held. */
  abstract int kernelUnmapAll();

  /** Throws if nothing can be mapped yet. Called with the lock held. */
  abstract void requireMappable();

  /**
   * Lets go of the kernel's object; its mappings go with it. Called with the lock held.
   *
   * @return whether it is gone; if not, it is as usable as before
   */
  abstract boolean release(FirstFailure failure);

  /** Takes over what the kernel says of its ranges. Called with the lock held. */
  final void accept(List<IovaRange> kernelRanges, long kernelGranule) throws VfioException {
    if (kernelGranule == granule && kernelRanges.equals(ranges)) {
      return;
    }
    IovaAllocator fresh = new IovaAllocator(kernelGranule, kernelRanges);
    mappings.forEach((iova, size, memory, access) -> fresh.reserve(iova, size));
    vacant.clear();
    allocator = fresh;
    granule = kernelGranule;
    ranges = List.copyOf(kernelRanges);
  }

  /**
   * Chooses IOVAs in these ranges alone from now on, if there are any. Called with the lock held.
   */
  final void prefer(List<IovaRange> choice) {
    preferred = List.copyOf(choice);
  }

  /** Maps everything into a kernel's object that has nothing in it. Called with the lock held. */
  final void mapAgain() throws VfioException {
    mappings.forEach(this::mapInKernel);
  }

  /** Tells whether anything is mapped. Called with the lock held. */
  final boolean hasMappings() {
    return mappings.count() > 0;
  }

  /** Shows all that is mapped. Called with the lock held. */
  final void forEachMapping(MappingTable.Visitor visitor) throws VfioException {
    mappings.forEach(visitor);
  }

  private void mapInKernel(long iova, long size, MemorySegment memory, DmaAccess access)
      throws VfioException {
    int answer = kernelMap(memory.address(), size, iova, access);
    if (answer < 0) {
      throw notMappable(mapOperation(), answer, iova, size);
    }
  }

  private VfioException notMappable(Ioctl operation, int answer, long iova, long size) {
    return Failure.ofMap(
        operation, object, answer, range(iova, size), MemlockLimit.current(kernel));
  }

  final void requireOpen() {
    if (closed || closing) {
      throw new IllegalStateException(object + " is closed");
    }
  }

  /**
   * Returns the interface that this address space belongs to.
   *
   * @return {@link Backend#CONTAINER} or {@link Backend#IOMMUFD}
   */
  public abstract Backend backend();

  /**
   * Returns the ranges that can be mapped, as the kernel last gave them.
   *
   * <p>They are what the IOMMU translates, less what is reserved (interrupt windows, firmware).
   * They shrink when a device is attached.
   *
   * @return the ranges, ascending, without overlap
   */
  public List<IovaRange> iovaRanges() {
    synchronized (lock) {
      return ranges;
    }
  }

  /**
   * Returns the unit of mapping.
   *
   * @return bytes, a power of two: every IOVA, memory address and size mapped is a multiple of it
   */
  public long granule() {
    synchronized (lock) {
      return granule;
    }
  }

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
   * @throws IovaInUseException if a part of the range is mapped
   * @throws IovaOutOfRangeException if a part of the range is outside {@link #iovaRanges}
   * @throws MemlockLimitException if the limit of locked memory does not allow pinning
   * @throws VfioException if the kernel refuses otherwise; nothing is mapped or pinned then
   */
  public void map(MemorySegment memory, long iova, DmaAccess access) throws VfioException {
    long size = memory.byteSize();
    long address = memory.address();
    synchronized (lock) {
      requireOpen();
      requireMappable();
      if (size == 0
          || ((address | size | iova) & granule - 1) != 0
          || !memory.isNative()
          || Long.compareUnsigned(iova + (size - 1), iova) < 0
          || (access.writable() && memory.isReadOnly())) {
        throw badMemory(memory, iova);
      }
      if (!vacant.take(iova, size)) {
        reserve(iova, size);
      }
      mapReserved(memory, iova, access);
    }
  }

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
  public DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException {
    synchronized (lock) {
      long iova = mapAnywhere(memory, access, granule);
      return new DmaMapping(this, memory, iova, memory.byteSize());
    }
  }

  /** Asks the kernel to map something at an IOVA, and answers as it does. */
  @FunctionalInterface
  interface KernelMapping {
    int at(long iova);
  }

  /**
   * Maps something that is not this process's memory at a chosen IOVA. Called with the lock held.
   *
   * @param backing stands for it in the table, or is kept reachable while it is mapped
   */
  final void map(
      Ioctl operation,
      long size,
      long iova,
      MemorySegment backing,
      DmaAccess access,
      KernelMapping mapping)
      throws VfioException {
    requireRange(size, iova);
    if (!vacant.take(iova, size)) {
      reserve(iova, size);
    }
    enter(operation, mapping.at(iova), size, iova, backing, access);
  }

  /** Maps such a thing at an IOVA of this address space's choice. Called with the lock held. */
  final DmaMapping mapAnywhere(
      Ioctl operation, long size, MemorySegment backing, DmaAccess access, KernelMapping mapping)
      throws VfioException {
    requireRange(size, 0);
    long iova = choose(size, granule);
    enter(operation, mapping.at(iova), size, iova, backing, access);
    return new DmaMapping(this, backing, iova, size);
  }

  private void requireRange(long size, long iova) {
    if (size == 0
        || ((size | iova) & granule - 1) != 0
        || Long.compareUnsigned(iova + (size - 1), iova) < 0) {
      throw new IllegalArgumentException(
          "Cannot map 0x%x bytes at 0x%x of %s: they are not whole pages of %d, or wrap around"
              .formatted(size, iova, object, granule));
    }
  }

  /** Enters what the kernel has mapped, or gives the IOVA back where it answers with an error. */
  private void enter(
      Ioctl operation, int answer, long size, long iova, MemorySegment backing, DmaAccess access)
      throws VfioException {
    if (answer < 0) {
      vacant.put(iova, size, allocator);
      throw notMappable(operation, answer, iova, size);
    }
    mappings.put(iova, size, backing, access);
  }

  /** Returns the memory behind a mapping of exactly this extent. Called with the lock held. */
  final MemorySegment backing(long iova, long size) {
    MemorySegment memory = mappings.memoryAt(iova);
    if (size == 0 || memory == null || mappings.sizeAt(iova) != size) {
      throw notMapped("copy", iova, size);
    }
    return memory;
  }

  /**
   * Unmaps and unpins everything. The buffers of this address space keep their memory, though no
   * device sees it any more, until they are closed.
   *
   * <p>Issues {@code IOMMU_IOAS_UNMAP}, or {@code VFIO_IOMMU_UNMAP_DMA} (Linux 5.12 was the first
   * that unmaps all at once).
   *
   * @throws VfioException if the kernel refuses; everything stays mapped then
   */
  public void unmapAll() throws VfioException {
    synchronized (lock) {
      requireOpen();
      int answer = kernelUnmapAll();
      if (answer < 0) {
        throw Failure.of(unmapOperation(), object, answer);
      }
      mappings.clear();
      vacant.clear();
      allocator = new IovaAllocator(granule, ranges);
    }
  }

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
  public void unmap(long iova, long size) throws VfioException {
    synchronized (lock) {
      requireOpen();
      if (size == 0 || mappings.sizeAt(iova) != size) {
        throw notMapped("unmap", iova, size);
      }
      int answer = kernelUnmap(iova, size);
      if (answer < 0) {
        throw Failure.of(unmapOperation(), object, answer, range(iova, size).toString());
      }
      mappings.remove(iova);
      vacant.put(iova, size, allocator);
    }
  }

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
  public DmaBuffer allocate(long size) throws VfioException {
    return allocate(size, kernel.pageSize(), 0);
  }

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
  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    if (hugePageSize <= kernel.pageSize() || Long.bitCount(hugePageSize) != 1) {
      throw new IllegalArgumentException("Not the size of a huge page: " + hugePageSize);
    }
    return allocate(size, hugePageSize, hugePageSize);
  }

  private DmaBuffer allocate(long size, long pageSize, long hugePageSize) throws VfioException {
    if (size <= 0 || size > Long.MAX_VALUE - pageSize) {
      throw new IllegalArgumentException("Not a size to allocate: " + size);
    }
    Optional<DeviceEvent.Allocate> event = Recorded.begin(DeviceEvent.Allocate::new);
    synchronized (lock) {
      requireOpen();
      requireMappable();
      long unit = Math.max(pageSize, granule);
      long whole = size + unit - 1 & -unit;
      long address = Pages.request(kernel, whole, hugePageSize);
      if (address < 0) {
        throw noMemory(whole, hugePageSize, (int) address);
      }
      Pages pages = Pages.at(kernel, address, whole);
      try {
        long iova = mapAnywhere(pages.segment(), DmaAccess.READ_WRITE, unit);
        DmaBuffer buffer = new DmaBuffer(this, pages, iova);
        buffers.add(buffer);
        event.ifPresent(allocation -> allocation.commit(object, iova, whole));
        return buffer;
      } catch (VfioException | RuntimeException e) {
        pages.free();
        throw e;
      }
    }
  }

  /** Unmaps a buffer and frees its memory, unless that has been done. */
  final void free(DmaBuffer buffer) throws VfioException {
    synchronized (lock) {
      if (buffers.contains(buffer)) {
        unmapIfMapped(buffer.segment(), buffer.iova());
        buffer.freePages();
        buffers.remove(buffer);
      }
    }
  }

  /** Unmaps memory from an IOVA, unless that has been done, or something else is there by now. */
  final void unmapIfMapped(MemorySegment memory, long iova) throws VfioException {
    synchronized (lock) {
      if (!closed && mappings.holds(iova, memory)) {
        unmap(iova, mappings.sizeAt(iova));
      }
    }
  }

  /**
   * Closes the address space: unmaps and unpins everything in it and frees its buffers. Later calls
   * do nothing.
   *
   * @throws DeviceBusyException if devices are attached to it; close or detach them first. It stays
   *     open then
   * @throws VfioException if closing went wrong otherwise; all that could be closed is closed
   */
  @Override
  public void close() throws VfioException {
    FirstFailure failure = new FirstFailure();
    synchronized (lock) {
      if (!closed && !closing) {
        closing = true;
        closed = release(failure);
        closing = false;
      }
      if (closed) {
        mappings.clear();
        for (DmaBuffer buffer : List.copyOf(buffers)) {
          failure.attempt(() -> free(buffer));
        }
      }
    }
    failure.rethrow();
  }

  /** Returns what messages call this address space. */
  @Override
  public String toString() {
    return object;
  }

  private long mapAnywhere(MemorySegment memory, DmaAccess access, long alignment)
      throws VfioException {
    requireOpen();
    requireMappable();
    long size = memory.byteSize();
    if (size == 0
        || ((memory.address() | size) & granule - 1) != 0
        || !memory.isNative()
        || (access.writable() && memory.isReadOnly())) {
      throw badMemory(memory, 0);
    }
    long iova = choose(size, alignment);
    mapReserved(memory, iova, access);
    return iova;
  }

  private long choose(long size, long alignment) throws VfioException {
    vacant.giveBack(allocator);
    long iova = IovaAllocator.NONE;
    if (preferred.isEmpty()) {
      iova = allocator.allocate(size, alignment);
    }
    for (int i = 0; iova == IovaAllocator.NONE && i < preferred.size(); i++) {
      iova = allocator.allocate(size, alignment, preferred.get(i));
    }
    if (iova == IovaAllocator.NONE) {
      throw new IovaExhaustedException(
          mapOperation().name(), object, null, "no free range of " + size + " bytes is left");
    }
    return iova;
  }

  private void reserve(long iova, long size) throws VfioException {
    if (!allocator.reserve(iova, size)) {
      vacant.giveBack(allocator);
      if (!allocator.reserve(iova, size)) {
        throw refusal(iova, size);
      }
    }
  }

  private void mapReserved(MemorySegment memory, long iova, DmaAccess access) throws VfioException {
    long size = memory.byteSize();
    int answer = kernelMap(memory.address(), size, iova, access);
    enter(mapOperation(), answer, size, iova, memory, access);
  }

  private IllegalArgumentException badMemory(MemorySegment memory, long iova) {
    long size = memory.byteSize();
    String reason;
    if (size == 0) {
      reason = "the memory is empty";
    } else if (!memory.isNative()) {
      reason = "the memory is on the Java heap, which moves; use native memory";
    } else if ((memory.address() & granule - 1) != 0) {
      reason =
          "the memory's address 0x%x is not a multiple of %d".formatted(memory.address(), granule);
    } else if ((size & granule - 1) != 0) {
      reason = "the size %d is not a multiple of %d".formatted(size, granule);
    } else if ((iova & granule - 1) != 0) {
      reason = "the IOVA 0x%x is not a multiple of %d".formatted(iova, granule);
    } else if (memory.isReadOnly()) {
      reason = "the memory is read-only, and the device may write";
    } else {
      reason = "0x%x + 0x%x bytes wraps around the address space".formatted(iova, size);
    }
    return new IllegalArgumentException("Cannot map into " + object + ": " + reason);
  }

  private VfioException refusal(long iova, long size) {
    IovaRange wanted = range(iova, size);
    if (allocator.isAllowed(iova, size)) {
      return new IovaInUseException(
          mapOperation().name(), object, null, wanted + " is mapped already, in whole or in part");
    }
    return new IovaOutOfRangeException(
        mapOperation().name(), object, null, wanted + " is not within " + ranges);
  }

  private IllegalArgumentException notMapped(String what, long iova, long size) {
    long mapped = mappings.sizeAt(iova);
    return new IllegalArgumentException(
        "Cannot %s 0x%x bytes at 0x%x of %s: %s"
            .formatted(
                what,
                size,
                iova,
                object,
                mapped == 0
                    ? "no mapping starts there"
                    : "the mapping there has 0x%x bytes".formatted(mapped)));
  }

  private VfioException noMemory(long size, long hugePageSize, int answer) {
    return Failure.of(
        "mmap",
        object,
        answer,
        hugePageSize == 0
            ? "no memory for " + size + " bytes"
            : "no %d free huge pages of %d KiB; reserve them in /sys/kernel/mm/hugepages/hugepages-%dkB/nr_hugepages"
                .formatted(size / hugePageSize, hugePageSize >> 10, hugePageSize >> 10));
  }

  private static IovaRange range(long iova, long size) {
    return new IovaRange(iova, iova + (size - 1));
  }
}
