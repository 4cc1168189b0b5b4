package io.github.vfio4j.linux;

/** Numbers of what {@link Kernel#madvise} can be asked for. */
public final class MemoryAdvice {
  /** Pages may be huge; EINVAL where the kernel has none that are. */
  public static final int HUGE_PAGE = 14;

  /** Have pages there as if each had been read. Since Linux 5.14; EINVAL before. */
  public static final int POPULATE_READ = 22;

  /** Have pages there as if each had been written; their contents stay. Since Linux 5.14. */
  public static final int POPULATE_WRITE = 23;

  private MemoryAdvice() {}
}
