package io.github.vfio4j.model;

import java.util.Optional;

/**
 * One base address register of a {@link PciLayout}, and what is behind it.
 *
 * @param size bytes, a power of two from 16 on
 * @param registers who answers accesses; empty where it is plain memory
 */
public record Bar(long size, Optional<Registers> registers) {
  private static final long SMALLEST = 16;

  /**
   * Checks the size.
   *
   * @throws IllegalArgumentException if the size is not a power of two from 16 on
   */
  public Bar {
    if (size < SMALLEST || Long.bitCount(size) != 1) {
      throw new IllegalArgumentException(
          "the size of a BAR is a power of two from 16 on, not " + size);
    }
  }

  /**
   * Describes a BAR of plain memory.
   *
   * @param size bytes, a power of two, whole pages
   * @return the BAR
   */
  public static Bar memory(long size) {
    return new Bar(size, Optional.empty());
  }

  /**
   * Describes a BAR of registers.
   *
   * @param size bytes, a power of two
   * @param registers who answers accesses
   * @return the BAR
   */
  public static Bar registers(long size, Registers registers) {
    return new Bar(size, Optional.of(registers));
  }
}
