package io.github.vfio4j.vmm.bus;

import io.github.vfio4j.VfioException;

/**
 * What answers a guest at some of its addresses. Several processors may access it at once: it has
 * to be thread-safe.
 */
public interface BusDevice {
  /**
   * Reads.
   *
   * @param offset bytes from the first of its addresses
   * @param width 1, 2, 4 or 8 bytes
   * @return the value; bits beyond the width are dropped
   * @throws VfioException if it cannot be read; the guest reads all ones then
   */
  long read(long offset, int width) throws VfioException;

  /**
   * Writes.
   *
   * @param offset bytes from the first of its addresses
   * @param width 1, 2, 4 or 8 bytes
   * @param value the value, its bits beyond the width being zeros
   * @throws VfioException if it cannot be written; the guest goes on as if it were
   */
  void write(long offset, int width, long value) throws VfioException;
}
