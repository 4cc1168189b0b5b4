package io.github.vfio4j.mapping;

import io.github.vfio4j.linux.Alignment;
import java.lang.foreign.MemorySegment;

/** Says what is wrong with the arguments of a mapping. */
final class BadMapping {
  private BadMapping() {}

  static RuntimeException of(String space, long granule, long iova, MemorySegment memory) {
    if (!memory.scope().isAlive()) {
      return freed(space);
    }
    if (memory.byteSize() == 0) {
      return refused(space, "the memory is empty");
    }
    if (!memory.isNative()) {
      return refused(space, "the memory is on the Java heap, which moves; use native memory");
    }
    if (!Alignment.isMultiple(memory.address(), granule)) {
      return refused(
          space,
          "the memory's address 0x%x is not a multiple of %d".formatted(memory.address(), granule));
    }
    if (Alignment.isMultiple(iova | memory.byteSize(), granule)
        && !Alignment.isEmptyOrWraps(iova, memory.byteSize())) {
      return refused(space, "the memory is read-only, and the device may write");
    }
    return of(space, granule, iova, memory.byteSize());
  }

  static IllegalStateException freed(String space) {
    return new IllegalStateException(sentence(space, "the memory has been freed"));
  }

  static IllegalArgumentException of(String space, long granule, long iova, long size) {
    String reason;
    if (size == 0) {
      reason = "the size is 0";
    } else if (!Alignment.isMultiple(size, granule)) {
      reason = "the size %d is not a multiple of %d".formatted(size, granule);
    } else if (!Alignment.isMultiple(iova, granule)) {
      reason = "the IOVA 0x%x is not a multiple of %d".formatted(iova, granule);
    } else {
      reason = "0x%x + 0x%x bytes wraps around the address space".formatted(iova, size);
    }
    return refused(space, reason);
  }

  private static IllegalArgumentException refused(String space, String reason) {
    return new IllegalArgumentException(sentence(space, reason));
  }

  private static String sentence(String space, String reason) {
    return "Cannot map into " + space + ": " + reason;
  }
}
