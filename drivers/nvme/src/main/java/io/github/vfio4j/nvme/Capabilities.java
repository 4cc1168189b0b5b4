package io.github.vfio4j.nvme;

import java.time.Duration;

/**
 * What a controller's first register says that it can do (CAP).
 *
 * @param bits the register
 */
record Capabilities(long bits) {
  private static final int SMALLEST_PAGE_SHIFT = 12;
  private static final int TIMEOUT_UNIT_MILLIS = 500;

  private long field(int shift, int width) {
    return bits >>> shift & ((1L << width) - 1);
  }

  /** Returns the most entries that an I/O queue can have. */
  int mostEntries() {
    return (int) field(0, 16) + 1;
  }

  /** Returns the longest that enabling or disabling takes. */
  Duration timeout() {
    return Duration.ofMillis(Math.max(1, field(24, 8)) * TIMEOUT_UNIT_MILLIS);
  }

  /** Returns how many bytes lie between two doorbells. */
  int doorbellStride() {
    return Integer.BYTES << field(32, 4);
  }

  /** Returns whether the controller speaks NVMe's own command set. */
  boolean hasNvmCommands() {
    return (field(37, 8) & 1) != 0;
  }

  /** Returns whether it speaks others as well, such as that of zones. */
  boolean hasOtherCommands() {
    return (field(37, 8) & 1 << 6) != 0;
  }

  /** Returns whether the registers of the controller's own memory are there (NVMe 1.4). */
  boolean hasControllerMemory() {
    return field(57, 1) != 0;
  }

  /** Returns the smallest size of a page, as a power of two. */
  int smallestPageShift() {
    return SMALLEST_PAGE_SHIFT + (int) field(48, 4);
  }

  /** Returns the largest size of a page, as a power of two. */
  int largestPageShift() {
    return SMALLEST_PAGE_SHIFT + (int) field(52, 4);
  }
}
