package io.github.vfio4j.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Optional;

/**
 * Pages of this process, given back exactly once, and never while a thread is reading or writing
 * them through {@link #segment}.
 */
public final class Pages {
  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 0x01;
  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_HUGETLB = 0x40000;
  private static final int MAP_HUGE_SHIFT = 26;

  private static final Cleaner CLEANER = Cleaner.create();

  private final Kernel kernel;
  private final Arena arena;

  /**
   * What the kernel gave, set once, before anybody else has this object; a size of 0 is nothing.
   */
  private long address;

  private long size;
  private MemorySegment segment = MemorySegment.NULL;
  private boolean freed;

  /** Makes room for pages; {@link #map} or {@link #mapShared} comes next. */
  @SuppressWarnings("MustBeClosedChecker") // free closes the arena
  public Pages(Kernel kernel) {
    this.kernel = kernel;
    this.arena = Arena.ofShared();
  }

  /**
   * Asks for zeroed pages, once. Whatever is thrown, {@link #free} gives back what there is.
   *
   * @param bytes a multiple of the page size
   * @param alignment of what {@link #segment} begins with, a power of two
   * @return the kernel's answer
   */
  public long map(long bytes, long alignment) {
    long spare =
        alignment > kernel.pageSize() ? alignment : 0; // never touched: an address, no memory
    return take(mapAnonymous(bytes + spare, 0), bytes + spare, bytes, alignment);
  }

  /**
   * Asks for huge pages likewise.
   *
   * @param bytes a multiple of their size
   * @param hugePageSize bytes of a huge page, a power of two
   * @return the kernel's answer
   */
  public long mapHuge(long bytes, long hugePageSize) {
    int flags = MAP_HUGETLB | Long.numberOfTrailingZeros(hugePageSize) << MAP_HUGE_SHIFT;
    return take(mapAnonymous(bytes, flags), bytes, bytes, 1);
  }

  private long mapAnonymous(long bytes, int flags) {
    return kernel.mmap(0, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  }

  /**
   * Asks for the pages of {@link #segment} to be huge where they can.
   *
   * @return the kernel's answer; EINVAL where it has no huge pages for the asking
   */
  public int adviseHuge() {
    return kernel.madvise(segment.address(), segment.byteSize(), MemoryAdvice.HUGE_PAGE);
  }

  /**
   * Asks for the pages of a file likewise.
   *
   * @param bytes a multiple of the page size
   * @return the kernel's answer
   */
  public long mapShared(long bytes, int fd) {
    return take(kernel.mmap(0, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0), bytes, bytes, 1);
  }

  @SuppressWarnings("restricted") // reinterpreted to no more than the pages that mmap gave
  private long take(long answer, long mapped, long bytes, long alignment) {
    if (answer >= 0) {
      address = answer;
      size = mapped;
      long first = Alignment.up(answer, alignment);
      segment = MemorySegment.ofAddress(first).reinterpret(bytes, arena, null);
    }
    return answer;
  }

  public MemorySegment segment() {
    return segment;
  }

  /**
   * Ends all accesses through {@link #segment}: from now on they throw {@link
   * IllegalStateException}.
   *
   * @throws IllegalStateException if a thread is in the middle of using them; nothing has changed
   *     then
   */
  public synchronized void endAccess() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  /**
   * Ends all accesses, and gives the pages back, once.
   *
   * @return the kernel's answer; after a refusal it may be asked again
   * @throws IllegalStateException as {@link #endAccess}
   */
  public synchronized int free() {
    if (freed) {
      return 0;
    }
    endAccess();
    int answer = size == 0 ? 0 : kernel.munmap(address, size);
    freed = answer >= 0;
    return answer;
  }

  /**
   * Has the pages given back when no segment of them is reachable any more; {@link #free} does
   * nothing from now on.
   *
   * @return what gives them back earlier; empty if that has been arranged before, or done
   */
  public synchronized Optional<Cleaner.Cleanable> freeWhenUnreachable() {
    if (freed) {
      return Optional.empty();
    }
    freed = true;
    Runnable unmapping = unmapping(kernel, address, size);
    return Optional.of(CLEANER.register(segment.scope(), unmapping));
  }

  private static Runnable unmapping(Kernel kernel, long address, long size) {
    return () -> kernel.munmap(address, size);
  }
}
