package io.github.vfio4j.mapping;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace.Allocation;
import io.github.vfio4j.IoAddressSpace.MemoryRegion;
import io.github.vfio4j.IoAddressSpace.Progress;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.MemoryAdvice;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.recording.DeviceEvent;
import io.github.vfio4j.recording.Recorded;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What every IO address space is, whatever the backend: which IOVAs are free, what is mapped, and
 * the buffers in it, on an {@link AddressSpaceChannel}. The public classes of the backends hold one
 * and hand on to it.
 *
 * <p>All mappings take one way: {@link #check}, {@link #take} or {@link #choose}, the backend,
 * {@link #enter}. Mapping and unmapping at a chosen IOVA is hot code, and allocates nothing.
 */
public final class AddressSpace {
  /** Asks a backend to map something at an IOVA, and answers as it does. */
  @FunctionalInterface
  public interface Mapper {
    int map(long iova, long size, MemorySegment backing, DmaAccess access);
  }

  /** An address space of the kernel's, whose engine the packages on top of it use. */
  public interface Owner {
    /** Returns the engine of the address space. */
    AddressSpace engine();
  }

  /** Lets go of the backend's object; its mappings go with it. */
  @FunctionalInterface
  public interface Release {
    /**
     * Called with the lock held.
     *
     * @return whether it is gone; if not, it is as usable as before
     */
    boolean run(Closing closing);
  }

  /** What most processors and IOMMUs have as one huge page. */
  private static final long LARGE = 2 << 20;

  private final Kernel kernel;
  private final String name;
  private final AddressSpaceChannel channel;
  private final Ioctl mapOperation;

  /** Guards all that follows, and every call that maps or unmaps. */
  private final Object lock = new Object();

  private final MappingTable mappings = new MappingTable();
  private final VacantIovas vacant = new VacantIovas();
  private final Dependents buffers = new Dependents();
  private IovaAllocator allocator;
  private List<IovaRange> ranges;
  private long granule;
  private List<IovaRange> preferred = List.of();
  private @Nullable String obstacle;
  private boolean closing;
  private boolean closed;

  /** What follows from the three above: one look in the hot code. */
  private boolean usable = true;

  private boolean mappable = true;

  /**
   * Makes an address space of everything, until it is told otherwise.
   *
   * @param name used in messages
   */
  public AddressSpace(Kernel kernel, String name, AddressSpaceChannel channel) {
    this.kernel = kernel;
    this.name = name;
    this.channel = channel;
    this.mapOperation = channel.mapOperation();
    this.granule = kernel.pageSize();
    this.ranges = List.of(new IovaRange(0, -1));
    this.allocator = new IovaAllocator(granule, ranges);
  }

  /** Returns the lock under which the channel is called. */
  public Object lock() {
    return lock;
  }

  /**
   * Takes over what the backend says of its ranges. Called with the lock held. Nothing can be
   * mapped before; from now on what is mapped stays reachable until this is closed.
   */
  public void accept(List<IovaRange> newRanges, long newGranule) throws VfioException {
    if (newGranule != granule || !newRanges.equals(ranges)) {
      IovaAllocator fresh = new IovaAllocator(newGranule, newRanges);
      mappings.forEach((iova, size, memory, access) -> fresh.reserve(iova, size));
      List<IovaRange> copy = List.copyOf(newRanges);
      OpenSpaces.add(this);
      vacant.clear();
      allocator = fresh;
      granule = newGranule;
      ranges = copy;
    } else {
      OpenSpaces.add(this);
    }
  }

  /**
   * Chooses IOVAs in these ranges alone from now on, if there are any. Called with the lock held.
   */
  public void prefer(List<IovaRange> choice) {
    preferred = List.copyOf(choice);
  }

  /**
   * Maps everything into a backend's object that has nothing in it. Called with the lock held.
   *
   * @throws IllegalStateException if some of the memory was freed meanwhile
   */
  public void mapAgain() throws VfioException {
    forEachMapping(
        (iova, size, memory, access) -> {
          if (!memory.scope().isAlive()) {
            throw new IllegalStateException(
                name
                    + " cannot map "
                    + range(iova, size)
                    + " again: its memory was freed; unmap it");
          }
          int answer = channel.map(iova, size, memory, access);
          if (answer < 0) {
            throw notMappable(mapOperation, answer, iova, size);
          }
        });
  }

  /** Returns whether anything is mapped. Called with the lock held. */
  public boolean hasMappings() {
    return mappings.count() > 0;
  }

  /** Shows all that is mapped. Called with the lock held. */
  public void forEachMapping(MappingTable.Visitor visitor) throws VfioException {
    mappings.forEach(
        (iova, size, memory, access) -> {
          if (!MappingTable.isNothing(memory)) {
            visitor.visit(iova, size, memory, access);
          }
        });
  }

  /** Throws if it is closed, or about to be. Called with the lock held. */
  public void requireOpen() {
    if (!usable) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  /** Throws if nothing can be mapped now. Called with the lock held. */
  public void requireMappable() {
    if (!mappable) {
      requireOpen();
      throw new IllegalStateException(name + " " + obstacle);
    }
  }

  private void stateChanged() {
    usable = !closed && !closing;
    mappable = usable && obstacle == null;
  }

  /**
   * Refuses to map from now on, or allows it. Called with the lock held.
   *
   * @param why the rest of a sentence that begins with this address space, or null to allow it
   */
  public void refuseMappings(@Nullable String why) {
    obstacle = why;
    stateChanged();
  }

  public List<IovaRange> iovaRanges() {
    synchronized (lock) {
      return ranges;
    }
  }

  public long granule() {
    synchronized (lock) {
      return granule;
    }
  }

  /** Maps memory at a chosen IOVA. */
  public void map(long iova, MemorySegment memory, DmaAccess access) throws VfioException {
    long size = memory.byteSize();
    synchronized (lock) {
      check(iova, size, memory, access);
      take(iova, size);
      enter(iova, size, memory, access, mapOperation, channel.map(iova, size, memory, access));
    }
  }

  /** Maps memory at an IOVA of this address space's choice. */
  public DmaMapping map(MemorySegment memory, DmaAccess access) throws VfioException {
    synchronized (lock) {
      return mapAnywhere(memory, access, granule);
    }
  }

  private Mapping mapAnywhere(MemorySegment memory, DmaAccess access, long alignment)
      throws VfioException {
    long size = memory.byteSize();
    check(0, size, memory, access);
    return mapAnywhere(size, alignment, memory, access, mapOperation, channel::map);
  }

  /**
   * Maps something that is not this process's memory at a chosen IOVA.
   *
   * @param backing stands for it in the table, or is kept reachable while it is mapped
   * @param operation which one it is, for messages
   */
  public DmaMapping map(
      long iova, long size, MemorySegment backing, DmaAccess access, Ioctl operation, Mapper mapper)
      throws VfioException {
    synchronized (lock) {
      check(iova, size);
      take(iova, size);
      return mapTaken(iova, size, backing, access, operation, mapper);
    }
  }

  /**
   * Maps something in the place of a mapping. The IOVA is kept, even where the backend refuses:
   * then nothing is mapped there until this is called again.
   *
   * @param mapping one of this address space that is not closed, as {@link #has} tells
   */
  public void mapAnew(
      DmaMapping mapping, MemorySegment backing, DmaAccess access, Ioctl operation, Mapper mapper)
      throws VfioException {
    long iova = mapping.iova();
    long size = mapping.size();
    synchronized (lock) {
      requireMappable();
      int slot = mappings.find(iova, size);
      requireUnmapped(channel.unmap(iova, size), slot, iova, size);
      mappings.empty(slot);
      int answer = mapper.map(iova, size, backing, access);
      if (answer < 0) {
        throw notMappable(operation, answer, iova, size);
      }
      mappings.fill(slot, backing, access);
    }
  }

  /** Returns whether a mapping is still in this address space. */
  public boolean has(DmaMapping mapping) {
    synchronized (lock) {
      return !closed && mapping instanceof Mapping one && mappings.holds(one.iova(), one.serial());
    }
  }

  /** Returns whether a mapping is still in this address space, and something is mapped by it. */
  public boolean isMapped(DmaMapping mapping) {
    synchronized (lock) {
      return has(mapping) && !mappings.isEmpty(mappings.find(mapping.iova(), mapping.size()));
    }
  }

  /** Returns what maps memory of this process, by its address alone. */
  public Mapper byAddress() {
    return channel::map;
  }

  /** Maps such a thing at an IOVA of this address space's choice. */
  public DmaMapping map(
      long size, MemorySegment backing, DmaAccess access, Ioctl operation, Mapper mapper)
      throws VfioException {
    synchronized (lock) {
      check(0, size);
      return mapAnywhere(size, granule, backing, access, operation, mapper);
    }
  }

  /**
   * Enters what another process has mapped at an IOVA, and this one goes on with.
   *
   * @param backing stands for it in the table
   */
  public void takeOver(long iova, long size, MemorySegment backing, DmaAccess access)
      throws VfioException {
    synchronized (lock) {
      check(iova, size);
      take(iova, size);
      mappings.add(iova, size, backing, access);
    }
  }

  private void check(long iova, long size) {
    requireMappable();
    if (Alignment.isEmptyOrWraps(iova, size) || !Alignment.isMultiple(iova | size, granule)) {
      throw BadMapping.of(name, granule, iova, size);
    }
  }

  private void check(long iova, long size, MemorySegment memory, DmaAccess access) {
    requireMappable();
    if (!isFit(iova, size, memory, access, granule)) {
      throw BadMapping.of(name, granule, iova, memory);
    }
  }

  private static boolean isFit(
      long iova, long size, MemorySegment memory, DmaAccess access, long unit) {
    return !Alignment.isEmptyOrWraps(iova, size)
        && Alignment.isMultiple(iova | size | memory.address(), unit)
        && memory.isNative()
        && memory.scope().isAlive()
        && !(access.writable() && memory.isReadOnly());
  }

  private Mapping mapAnywhere(
      long size,
      long alignment,
      MemorySegment backing,
      DmaAccess access,
      Ioctl operation,
      Mapper mapper)
      throws VfioException {
    return mapTaken(choose(size, alignment), size, backing, access, operation, mapper);
  }

  /** Has the backend map at an IOVA that is taken, or gives the IOVA back, whatever is thrown. */
  private Mapping mapTaken(
      long iova, long size, MemorySegment backing, DmaAccess access, Ioctl operation, Mapper mapper)
      throws VfioException {
    Mapping mapping;
    int answer;
    try {
      mapping = new Mapping(this, iova, size, mappings.nextSerial());
      answer = mapper.map(iova, size, backing, access);
    } catch (RuntimeException | Error e) {
      if (isUnmapped(iova, size, e)) {
        vacant.put(iova, size, allocator);
      }
      throw e;
    }
    enter(iova, size, backing, access, operation, answer);
    return mapping;
  }

  /** Unmaps what may have been mapped, as no answer came; returns whether it surely is not now. */
  private boolean isUnmapped(long iova, long size, Throwable failed) {
    try {
      long answer = channel.unmap(iova, size);
      return answer == size || answer == 0 || Answer.is(answer, Errno.ENOENT);
    } catch (RuntimeException | Error e) {
      failed.addSuppressed(e);
      return false;
    }
  }

  /** Takes an IOVA out of what is free, and makes room to enter its mapping. */
  private void take(long iova, long size) throws VfioException {
    mappings.makeRoom();
    if (vacant.take(iova, size) || allocator.reserve(iova, size)) {
      return;
    }
    vacant.giveBack(allocator);
    if (!allocator.reserve(iova, size)) {
      throw refusal(iova, size);
    }
  }

  /** Chooses an IOVA and takes it likewise. */
  private long choose(long size, long alignment) throws VfioException {
    mappings.makeRoom();
    vacant.giveBack(allocator);
    long iova = lowestFree(size, alignment);
    if (iova == IovaAllocator.NONE) {
      iova = lowestFree(size, granule);
    }
    if (iova == IovaAllocator.NONE) {
      throw new IovaExhaustedException(
          mapOperation.name(), name, null, "no free range of " + size + " bytes is left");
    }
    return iova;
  }

  private long lowestFree(long size, long alignment) {
    if (preferred.isEmpty()) {
      return allocator.allocate(size, alignment);
    }
    long iova = IovaAllocator.NONE;
    for (int i = 0; iova == IovaAllocator.NONE && i < preferred.size(); i++) {
      iova = allocator.allocate(size, alignment, preferred.get(i));
    }
    return iova;
  }

  /** Enters what the backend has mapped, or gives the IOVA back where it answers with an error. */
  private void enter(
      long iova, long size, MemorySegment backing, DmaAccess access, Ioctl operation, int answer)
      throws VfioException {
    if (answer < 0) {
      vacant.put(iova, size, allocator);
      throw notMappable(operation, answer, iova, size);
    }
    mappings.add(iova, size, backing, access);
  }

  private VfioException notMappable(Ioctl operation, int answer, long iova, long size) {
    return NotMappable.of(operation, name, answer, range(iova, size), MemlockLimit.current(kernel));
  }

  /** Returns whether memory of this lifetime is mapped here. */
  boolean holds(MemorySegment.Scope lifetime) {
    synchronized (lock) {
      return mappings.hold(lifetime);
    }
  }

  /**
   * Returns the memory behind a mapping of exactly this extent. Called with the lock held.
   *
   * @throws IllegalStateException if it was freed
   */
  public MemorySegment backing(long iova, long size) {
    MemorySegment memory = mappings.memoryAt(iova);
    if (size == 0 || memory == null || mappings.sizeAt(iova) != size) {
      throw notMapped("copy", iova, size);
    }
    if (!memory.scope().isAlive()) {
      throw BadMapping.freed(name);
    }
    return memory;
  }

  /** Unmaps everything, or tells why not and knows what is still mapped. */
  public void unmapAll() throws VfioException {
    synchronized (lock) {
      requireOpen();
      IovaAllocator fresh = new IovaAllocator(granule, ranges);
      int answer = channel.unmapAll();
      if (answer < 0) {
        forgetWhatIsGone();
        throw Answer.failure(channel.unmapOperation(), name, answer);
      }
      mappings.clear();
      vacant.clear();
      allocator = fresh;
    }
  }

  /** Unmaps one by one after a refusal half way: what the kernel does not have is gone. */
  private void forgetWhatIsGone() throws VfioException {
    mappings
        .copy()
        .forEach(
            (iova, size, memory, access) -> {
              long answer = channel.unmap(iova, size);
              if (answer == size || Answer.is(answer, Errno.ENOENT)) {
                mappings.removeAt(mappings.find(iova, size));
                vacant.put(iova, size, allocator);
              }
            });
  }

  public void unmap(long iova, long size) throws VfioException {
    synchronized (lock) {
      requireOpen();
      int slot = mappings.find(iova, size);
      if (slot < 0) {
        throw notMapped("unmap", iova, size);
      }
      long answer = channel.unmap(iova, size);
      if (answer != size) {
        requireUnmapped(answer, slot, iova, size);
      }
      mappings.removeAt(slot);
      vacant.put(iova, size, allocator);
    }
  }

  /**
   * Unmaps what one call has mapped, as a backend can besides.
   *
   * @param unmapper answers as {@link AddressSpaceChannel#unmap}
   */
  public void unmap(long iova, long size, LongBinaryOperator unmapper) throws VfioException {
    synchronized (lock) {
      requireOpen();
      if (mappings.find(iova, size) < 0) {
        throw notMapped("unmap", iova, size);
      }
      long answer = unmapper.applyAsLong(iova, size);
      if (answer != size) {
        throw notUnmapped(answer, iova, size);
      }
      forget(iova, size);
    }
  }

  private void forget(long iova, long size) {
    mappings.removeAt(mappings.find(iova, size));
    vacant.put(iova, size, allocator);
  }

  /**
   * Unmaps all mappings that lie in a range.
   *
   * @return how many bytes they had
   */
  public long unmapRange(long iova, long size) throws VfioException {
    synchronized (lock) {
      requireOpen();
      if (Alignment.isEmptyOrWraps(iova, size)) {
        throw new IllegalArgumentException(
            "Cannot unmap 0x%x bytes at 0x%x of %s: the range is empty or wraps around"
                .formatted(size, iova, name));
      }
      WholeMappings whole = new WholeMappings(name, mappings, range(iova, size));
      long unmapped = 0;
      for (IovaRange run : whole.runs()) {
        unmapped += unmapRun(whole.in(run), run.first(), run.last() - run.first() + 1);
      }
      return unmapped;
    }
  }

  /** Unmaps mappings without a hole between them, or tells why not and knows what is left. */
  private long unmapRun(SortedMap<Long, Long> whole, long iova, long size) throws VfioException {
    long answer = channel.unmap(iova, size);
    boolean gone = true;
    for (Map.Entry<Long, Long> each : whole.entrySet()) {
      long first = each.getKey();
      long bytes = each.getValue() - first + 1;
      if (answer == size || isUnmappedNow(first, bytes)) {
        forget(first, bytes);
      } else {
        gone = false;
      }
    }
    if (!gone) {
      throw notUnmapped(answer, iova, size);
    }
    return size;
  }

  /** Unmaps what a refusal half way may have left; returns whether it surely is not mapped now. */
  private boolean isUnmappedNow(long iova, long size) {
    long answer = channel.unmap(iova, size);
    return answer == size || answer == 0 || Answer.is(answer, Errno.ENOENT);
  }

  /** Maps all of a batch, or nothing. */
  public void mapAll(List<MemoryRegion> regions) throws VfioException {
    synchronized (lock) {
      requireMappable();
      mapEach(new Batch(name, granule, regions));
    }
  }

  /**
   * Maps those of a batch that are not mapped, or nothing.
   *
   * @return those that were not
   */
  public List<MemoryRegion> mapMissing(List<MemoryRegion> regions) throws VfioException {
    synchronized (lock) {
      requireMappable();
      Batch batch = new Batch(name, granule, regions);
      batch.removeMapped(mappings);
      mapEach(batch);
      return List.copyOf(batch.regions());
    }
  }

  private void mapEach(Batch batch) throws VfioException {
    List<MemoryRegion> regions = batch.regions();
    for (MemoryRegion region : regions) {
      long size = region.memory().byteSize();
      check(region.iova(), size, region.memory(), region.access());
      if (!allocator.isAllowed(region.iova(), size)) {
        throw refusal(region.iova(), size);
      }
    }
    mappings.forEach(
        (iova, size, memory, access) -> {
          MemoryRegion region = batch.overlapping(iova, size);
          if (region != null) {
            throw refusal(region.iova(), region.memory().byteSize());
          }
        });
    try (Rollback rollback = new Rollback()) {
      for (MemoryRegion region : regions) {
        rollback.make(() -> mapped(region), made -> unmap(made.iova(), made.memory().byteSize()));
      }
      rollback.done(regions);
    }
  }

  private MemoryRegion mapped(MemoryRegion region) throws VfioException {
    map(region.iova(), region.memory(), region.access());
    return region;
  }

  /** Tells a backend of another address of mapped memory, and answers as it does. */
  @FunctionalInterface
  public interface Mover {
    int move(long iova, long size, MemorySegment memory, MemorySegment old) throws VfioException;
  }

  /** Has a mapping's memory at another address from now on. */
  public void move(long iova, MemorySegment memory, Mover mover) throws VfioException {
    synchronized (lock) {
      long size = memory.byteSize();
      requireMappable();
      int slot = mappings.find(iova, size);
      if (slot < 0) {
        throw notMapped("move", iova, size);
      }
      check(iova, size, memory, mappings.accessOf(slot));
      mappings.keep(slot);
      int answer = mover.move(iova, size, memory, mappings.memoryOf(slot));
      if (answer < 0) {
        throw notMappable(mapOperation, answer, iova, size);
      }
      mappings.replaceMemory(slot, memory);
    }
  }

  private void requireUnmapped(long answer, int slot, long iova, long size) throws VfioException {
    boolean nothing = answer == 0 || Answer.is(answer, Errno.ENOENT);
    if (answer != size && !(nothing && mappings.isEmpty(slot))) {
      throw notUnmapped(answer, iova, size);
    }
  }

  private VfioException notUnmapped(long answer, long iova, long size) {
    Ioctl operation = channel.unmapOperation();
    return answer < 0
        ? Answer.failure(operation, name, (int) answer, range(iova, size).toString())
        : Answer.impossible(
            operation, name, "%d of %d bytes of %s".formatted(answer, size, range(iova, size)));
  }

  /** Unmaps what is at an IOVA, unless it was unmapped before, and another may be there by now. */
  void unmapIfMapped(long iova, long serial) throws VfioException {
    synchronized (lock) {
      if (!closed && mappings.holds(iova, serial)) {
        unmap(iova, mappings.sizeAt(iova));
      }
    }
  }

  public DmaBuffer allocate(long size, Allocation how) throws VfioException {
    return allocate(size, kernel.pageSize(), 0, how);
  }

  public DmaBuffer allocateHuge(long size, long hugePageSize) throws VfioException {
    if (hugePageSize <= kernel.pageSize() || Long.bitCount(hugePageSize) != 1) {
      throw new IllegalArgumentException(
          "a huge page is a power of two of more than %d bytes, not %d"
              .formatted(kernel.pageSize(), hugePageSize));
    }
    return allocate(size, hugePageSize, hugePageSize, Allocation.USUAL);
  }

  private DmaBuffer allocate(long size, long pageSize, long hugePageSize, Allocation how)
      throws VfioException {
    if (size <= 0 || size > Long.MAX_VALUE - Math.max(pageSize, LARGE)) {
      throw new IllegalArgumentException("size must be positive, and fit into memory: " + size);
    }
    Optional<DeviceEvent.Allocate> event = Recorded.begin(DeviceEvent.Allocate::new);
    long unit = Math.max(pageSize, granuleToMap());
    long whole = Alignment.up(size, unit);
    boolean large = whole >= LARGE;
    boolean transparent = large && hugePageSize == 0 && how.transparentHugePages();
    long alignment = transparent ? Math.max(LARGE, unit) : unit;
    try (Rollback rollback = new Rollback()) {
      Pages pages = new Pages(kernel);
      PagesBuffer buffer = new PagesBuffer(this, pages);
      rollback.add(() -> abandon(buffer));
      long answer =
          hugePageSize == 0 ? pages.map(whole, alignment) : pages.mapHuge(whole, hugePageSize);
      Answer.require("mmap", name, answer, noMemory(whole, hugePageSize));
      if (transparent) {
        adviseHuge(pages);
      }
      if (large) { // without the lock: others can map, and close this, meanwhile
        populate(pages.segment(), MemoryAdvice.POPULATE_WRITE, how.progress());
      }
      synchronized (lock) {
        requireMappable();
        if (granule > unit) {
          throw new IllegalStateException(
              name + " maps larger pages now, of a device attached meanwhile; allocate again");
        }
        buffers.add(buffer, buffer::close);
        buffer.mapped(mapAnywhere(pages.segment(), DmaAccess.READ_WRITE, alignment));
        event.ifPresent(allocation -> allocation.commit(name, buffer.iova(), whole));
        return rollback.done(buffer);
      }
    }
  }

  private long granuleToMap() {
    synchronized (lock) {
      requireMappable();
      return granule;
    }
  }

  private void adviseHuge(Pages pages) throws VfioException {
    int answer = pages.adviseHuge();
    if (!Answer.is(answer, Errno.EINVAL)) { // then this kernel has none, and others do
      Answer.require("madvise", name, answer, "cannot ask for huge pages");
    }
  }

  /**
   * Has the pages of memory there before it is mapped.
   *
   * @return whether they are
   */
  public boolean populate(MemorySegment memory, DmaAccess access, Progress progress)
      throws VfioException {
    synchronized (lock) {
      requireOpen();
    }
    long page = kernel.pageSize();
    if (!isFit(0, memory.byteSize(), memory, access, page)) {
      throw BadMapping.of(name, page, 0, memory);
    }
    int advice = access.writable() ? MemoryAdvice.POPULATE_WRITE : MemoryAdvice.POPULATE_READ;
    return populate(memory, advice, progress);
  }

  private boolean populate(MemorySegment memory, int advice, Progress progress)
      throws VfioException {
    Population population = new Population(kernel, name, memory, advice, progress);
    return population.run(population.threads(Runtime.getRuntime().availableProcessors()));
  }

  /** Undoes what there is of a buffer that nobody has seen. */
  private void abandon(PagesBuffer buffer) throws VfioException {
    buffer.mapping().close(); // which has to be refused for its pages to stay
    buffer.abandonPages();
    buffers.remove(buffer);
  }

  /** Unmaps a buffer and frees its memory, unless that has been done. Called without the lock. */
  void free(PagesBuffer buffer) throws VfioException {
    if (buffers.contains(buffer)) {
      buffer.mapping().close();
      buffer.freePages();
      buffers.remove(buffer);
    }
  }

  /**
   * Closes the address space: unmaps and unpins everything in it and frees its buffers, unless the
   * backend's object is not to be had away.
   */
  public void close(Release release) throws VfioException {
    Closing outcome = new Closing();
    synchronized (lock) {
      if (!closed && !closing) {
        closing = true;
        stateChanged();
        try {
          closed = release.run(outcome);
        } finally {
          closing = false;
          stateChanged();
        }
      }
      if (closed) {
        mappings.clear();
        OpenSpaces.remove(this);
      }
    }
    if (isClosed()) {
      buffers.close(outcome); // looks into other address spaces, hence without the lock
      OpenSpaces.freeLent();
    }
    outcome.rethrow();
  }

  private boolean isClosed() {
    synchronized (lock) {
      return closed;
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return name;
  }

  private VfioException refusal(long iova, long size) {
    IovaRange wanted = range(iova, size);
    String operation = mapOperation.name();
    return allocator.isAllowed(iova, size)
        ? new IovaInUseException(
            operation, name, null, wanted + " is mapped already, in whole or in part")
        : new IovaOutOfRangeException(operation, name, null, wanted + " is not within " + ranges);
  }

  private IllegalArgumentException notMapped(String what, long iova, long size) {
    long mapped = mappings.sizeAt(iova);
    return new IllegalArgumentException(
        "Cannot %s 0x%x bytes at 0x%x of %s: %s"
            .formatted(
                what,
                size,
                iova,
                name,
                mapped == 0
                    ? "no mapping starts there"
                    : "the mapping there has 0x%x bytes".formatted(mapped)));
  }

  private static String noMemory(long size, long hugePageSize) {
    return hugePageSize == 0
        ? "no memory for " + size + " bytes"
        : "no %d free huge pages of %d KiB; reserve them in /sys/kernel/mm/hugepages/hugepages-%dkB/nr_hugepages"
            .formatted(size / hugePageSize, hugePageSize >> 10, hugePageSize >> 10);
  }

  private static IovaRange range(long iova, long size) {
    return new IovaRange(iova, iova + (size - 1));
  }
}
