package io.github.vfio4j.sysfs;

import io.github.vfio4j.IovaRange;

/**
 * A window of IO virtual addresses that a group cannot use for DMA memory.
 *
 * @param first its lowest address, unsigned
 * @param last its highest address, unsigned
 * @param type what the kernel calls it: {@code msi}, {@code reserved}, {@code direct}, {@code
 *     direct-relaxable}, or a newer word
 */
public record ReservedRegion(long first, long last, String type) {

  /**
   * Checks that the window holds at least one address.
   *
   * @throws IllegalArgumentException if {@code last} is below {@code first}
   */
  public ReservedRegion {
    new IovaRange(first, last);
  }

  /** Reads a line such as {@code 0x00000000fee00000 0x00000000feefffff msi}. */
  static ReservedRegion parse(String line) {
    String[] words = line.split(" ", -1);
    return new ReservedRegion(address(words[0]), address(words[1]), words[2]);
  }

  private static long address(String text) {
    return Long.parseUnsignedLong(text.substring(2), 16);
  }

  /** {@return the window as a range} */
  public IovaRange range() {
    return new IovaRange(first, last);
  }

  /** {@return range and type, such as {@code 0xfee00000-0xfeefffff msi}} */
  @Override
  public String toString() {
    return range() + " " + type;
  }
}
