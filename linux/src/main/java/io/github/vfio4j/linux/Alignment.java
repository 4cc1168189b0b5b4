package io.github.vfio4j.linux;

/** Multiples of pages and other powers of two. Numbers are unsigned. */
public final class Alignment {
  private Alignment() {}

  /** Returns the number, or the next multiple above it. */
  public static long up(long number, long unit) {
    return (number + (unit - 1)) & -unit;
  }

  public static boolean isMultiple(long number, long unit) {
    return (number & (unit - 1)) == 0;
  }

  /** Returns whether a range has no byte, or goes on beyond the last address. */
  public static boolean isEmptyOrWraps(long first, long size) {
    return size == 0 || Long.compareUnsigned(first + (size - 1), first) < 0;
  }
}
