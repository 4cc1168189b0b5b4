package io.github.vfio4j.vmm.pci;

import io.github.vfio4j.VfioException;

/** What is in a slot of a bus: its configuration space. Thread-safe. */
public interface PciFunction {
  /**
   * Reads a part of the configuration space.
   *
   * @param at from 0 to 4095
   * @param width 1, 2 or 4 bytes, which {@code at} is a multiple of
   * @return the value; bits beyond the width are dropped
   */
  int read(int at, int width) throws VfioException;

  /**
   * Writes a part of the configuration space.
   *
   * @param value the value, its bits beyond the width being zeros
   */
  void write(int at, int width, int value) throws VfioException;
}
