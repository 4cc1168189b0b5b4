package io.github.vfio4j.config;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * A base address register: BAR.
 *
 * @param number from 0 to 5
 * @param kind what it is an address of; one of 64 bits takes up the next number too
 * @param prefetchable whether reading has no side effects
 * @param address where the device answers; 0 where it has none. Through VFIO it is the kernel's own
 *     number, which a virtual machine may overwrite
 * @param size bytes, where that is known
 */
public record BaseAddress(
    int number, Kind kind, boolean prefetchable, long address, OptionalLong size) {
  /** What a base address register is an address of. */
  public enum Kind {
    /** Ports. */
    IO,

    /** Memory below 4 GiB. */
    MEMORY_32,

    /** Memory anywhere. */
    MEMORY_64
  }

  private static final int IO = 0x1;
  private static final int WIDTH = 0x6;
  private static final int WIDTH_64 = 0x4;
  private static final int PREFETCHABLE = 0x8;

  /** Reads those that the device has: their register is not 0, or their size is not. */
  static List<BaseAddress> read(ConfigImage image, int first, int count) {
    List<BaseAddress> found = new ArrayList<>();
    for (int number = 0; number < count; number++) {
      int low = image.i32(first + number * Integer.BYTES);
      BarResource resource = image.resource(number);
      boolean sized = resource.size().orElse(0) != 0;
      if (low == 0 && !sized) {
        continue;
      }
      boolean told = low == 0 && resource.typed();
      boolean more = number + 1 < count;
      Kind kind = told ? resource.kind() : kind(low);
      boolean wide = kind == Kind.MEMORY_64 && more;
      found.add(
          new BaseAddress(
              number,
              kind,
              told ? resource.prefetchable() : kind != Kind.IO && (low & PREFETCHABLE) != 0,
              address(low, wide ? image.i32(first + (number + 1) * Integer.BYTES) : 0),
              resource.size()));
      if (wide) {
        number++;
      }
    }
    return found;
  }

  static Kind kind(int register) {
    if ((register & IO) != 0) {
      return Kind.IO;
    }
    return (register & WIDTH) == WIDTH_64 ? Kind.MEMORY_64 : Kind.MEMORY_32;
  }

  private static long address(int low, int high) {
    int flags = (low & IO) != 0 ? 0x3 : 0xf;
    return Integer.toUnsignedLong(low & ~flags) | (long) high << Integer.SIZE;
  }
}
