package io.github.vfio4j.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;

/**
 * Where a downcall leaves {@code errno}: one place per thread, so that no thread sees another's.
 */
final class CapturedErrno {
  private static final ThreadLocal<MemorySegment> PLACE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(Linker.Option.captureStateLayout()));

  private CapturedErrno() {}

  static MemorySegment ofThisThread() {
    return PLACE.get();
  }
}
