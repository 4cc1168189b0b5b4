package io.github.vfio4j.smmuv3;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Walks tables as the architecture tells a translation unit to, knowing nothing but the memory and
 * the two numbers of the context descriptor.
 */
final class TableWalker {
  private static final ValueLayout.OfLong LITTLE = ValueLayout.JAVA_LONG.withOrder(LITTLE_ENDIAN);

  private final MemorySegment memory;
  private final long base;
  private final long ttb;
  private final int tsz;

  /**
   * What an access meets.
   *
   * @param output the address behind the input
   * @param descriptor the page or block
   * @param level where that was found
   */
  record Hit(long output, long descriptor, int level) {}

  TableWalker(MemorySegment memory, long base, long ttb, int tsz) {
    this.memory = memory;
    this.base = base;
    this.ttb = ttb;
    this.tsz = tsz;
  }

  /** Returns what is at an address, or null for a translation fault. */
  @Nullable Hit walk(long input) {
    int level = tsz <= 24 ? 0 : tsz <= 33 ? 1 : 2;
    long table = ttb;
    while (true) {
      int low = 39 - 9 * level;
      long index = input >> low & 0x1ff;
      long descriptor = memory.get(LITTLE, table - base + index * 8);
      if ((descriptor & 1) == 0) {
        return null;
      }
      boolean bitOne = (descriptor & 2) != 0;
      if (bitOne && level < 3) {
        table = descriptor & 0x0000_ffff_ffff_f000L;
        level++;
        continue;
      }
      if (!bitOne && level != 2) {
        throw new AssertionError("0x%x is reserved at level %d".formatted(descriptor, level));
      }
      long inside = (1L << low) - 1;
      long output = descriptor & 0x0000_ffff_ffff_f000L;
      if ((output & inside) != 0) {
        throw new AssertionError("0x%x is no address of level %d".formatted(descriptor, level));
      }
      return new Hit(output | (input & inside), descriptor, level);
    }
  }
}
