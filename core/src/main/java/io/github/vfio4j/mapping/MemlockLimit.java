package io.github.vfio4j.mapping;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** How much memory this process may lock, in words that tell what to do about it. */
public record MemlockLimit(long bytes) {
  private static final int RLIMIT_MEMLOCK = 8;
  private static final long UNLIMITED = -1;

  public static MemlockLimit current(Kernel kernel) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment limit = arena.allocate(JAVA_LONG, 2);
      return kernel.getrlimit(RLIMIT_MEMLOCK, limit) < 0
          ? new MemlockLimit(UNLIMITED)
          : new MemlockLimit(limit.get(JAVA_LONG, 0));
    }
  }

  boolean limits() {
    return bytes != UNLIMITED;
  }

  @Override
  public String toString() {
    return !limits()
        ? "there is no limit of locked memory, so memory itself has run out"
        : "the limit of locked memory is "
            + (bytes >> 10)
            + " KiB; raise it with `ulimit -l`, in /etc/security/limits.conf, or by LimitMEMLOCK=";
  }
}
