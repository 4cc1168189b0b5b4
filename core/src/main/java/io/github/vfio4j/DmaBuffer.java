package io.github.vfio4j;

import java.lang.foreign.MemorySegment;

/**
 * Memory that a device reads and writes: allocated, pinned and mapped as one.
 *
 * <p>The segment may be used from any thread; what the device writes is seen with acquire reads,
 * and what it shall see is published with a release write to the device; {@link DmaSlice} has both.
 * The memory is freed only after the kernel has unmapped it, so the device can never reach memory
 * that is something else by then.
 */
public interface DmaBuffer extends AutoCloseable {
  /**
   * Returns the memory as this process sees it.
   *
   * @return {@link #size} bytes; using them after {@link #close} throws {@link
   *     IllegalStateException}
   */
  MemorySegment segment();

  /**
   * Returns where the device sees the memory.
   *
   * @return the first IOVA
   */
  long iova();

  /**
   * Returns how large the buffer is.
   *
   * @return bytes, a multiple of the page size
   */
  long size();

  /**
   * Returns a part of the buffer, with its own IOVA.
   *
   * @param offset bytes from the start of the buffer
   * @param size bytes, at least 1
   * @return a view, which ends with the buffer
   * @throws IndexOutOfBoundsException if a byte of it lies outside the buffer
   * @throws IllegalStateException if the buffer is closed
   */
  default DmaSlice slice(long offset, long size) {
    return DmaSlice.of(segment(), iova(), offset, size);
  }

  /**
   * Unmaps the memory from the device, then frees it: where a part of it is mapped a second time,
   * in whichever address space, after that has gone too. Later calls do nothing.
   *
   * <p>Freeing waits for other threads' accesses to the segment, which takes the JVM about a tenth
   * of a millisecond: allocate few, large buffers and {@link #slice} them.
   *
   * @throws VfioException if the kernel refuses to unmap; the memory stays mapped and usable then
   */
  @Override
  void close() throws VfioException;
}
