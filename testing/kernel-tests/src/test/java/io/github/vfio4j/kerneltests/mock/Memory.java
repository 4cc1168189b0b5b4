package io.github.vfio4j.kerneltests.mock;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Whole pages of memory of this process. */
final class Memory {
  static final long PAGE = 4096;
  static final long HUGE_PAGE = 2 << 20;

  private Memory() {}

  static MemorySegment pages(Arena arena, int count) {
    return arena.allocate(count * PAGE, PAGE);
  }

  /** Pages filled with bytes that no other seed gives. */
  static MemorySegment pages(Arena arena, int count, int seed) {
    MemorySegment pages = pages(arena, count);
    fill(pages, seed);
    return pages;
  }

  static void fill(MemorySegment memory, int seed) {
    byte[] bytes = new byte[(int) memory.byteSize()];
    new Random(seed).nextBytes(bytes);
    MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, 0, bytes.length);
  }
}
