package io.github.vfio4j;

import java.lang.foreign.MemorySegment;

/**
 * Memory mapped into an {@link IoAddressSpace} at an IOVA that the address space chose.
 *
 * <p>Thread-safe. Closing unmaps; it leaves the memory itself alone.
 */
public final class DmaMapping implements AutoCloseable {
  private final IoAddressSpace space;
  private final MemorySegment memory;
  private final long iova;
  private final long size;

  DmaMapping(IoAddressSpace space, MemorySegment memory, long iova, long size) {
    this.space = space;
    this.memory = memory;
    this.iova = iova;
    this.size = size;
  }

  /**
   * Returns where the device sees the memory.
   *
   * @return the first IOVA
   */
  public long iova() {
    return iova;
  }

  /**
   * Returns how much is mapped.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  /**
   * Unmaps and unpins the memory. Later calls do nothing, nor does a call after the address space
   * was closed.
   *
   * @throws VfioException if the kernel refuses; the memory stays mapped then
   */
  @Override
  public void close() throws VfioException {
    space.unmapIfMapped(memory, iova);
  }
}
