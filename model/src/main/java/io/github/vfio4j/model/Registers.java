package io.github.vfio4j.model;

/**
 * The registers of a {@link DeviceModel} in one BAR. Each access is one of the driver's: of its
 * width and at a multiple of it.
 */
public interface Registers {
  /**
   * Reads a register.
   *
   * @param offset bytes from the start of the BAR
   * @param width 1, 2, 4 or 8 bytes
   * @return the value; bits beyond the width are dropped
   */
  long read(long offset, int width);

  /**
   * Writes a register.
   *
   * @param offset bytes from the start of the BAR
   * @param width 1, 2, 4 or 8 bytes
   * @param value the value, its bits beyond the width being zeros
   */
  void write(long offset, int width, long value);
}
