package io.github.vfio4j;

/**
 * Memory mapped into an {@link IoAddressSpace} at an IOVA that the address space chose.
 *
 * <p>Thread-safe. Closing unmaps; it leaves the memory itself alone.
 */
public interface DmaMapping extends AutoCloseable {
  /**
   * Returns where the device sees the memory.
   *
   * @return the first IOVA
   */
  long iova();

  /**
   * Returns how much is mapped.
   *
   * @return bytes
   */
  long size();

  /**
   * Unmaps and unpins the memory. Later calls do nothing, nor does a call after the address space
   * was closed.
   *
   * @throws VfioException if the kernel refuses; the memory stays mapped then
   */
  @Override
  void close() throws VfioException;
}
