package io.github.vfio4j;

import io.github.vfio4j.linux.Pages;
import java.lang.foreign.MemorySegment;

/**
 * Memory that a device reads and writes: allocated, pinned and mapped as one.
 *
 * <p>The segment may be used from any thread; what the device writes is seen with acquire reads,
 * and what it shall see is published with a release write to the device. The memory is freed only
 * after the kernel has unmapped it, so the device can never reach memory that is something else by
 * then.
 */
public final class DmaBuffer implements AutoCloseable {
  private final IoAddressSpace space;
  private final Pages pages;
  private final long iova;

  DmaBuffer(IoAddressSpace space, Pages pages, long iova) {
    this.space = space;
    this.pages = pages;
    this.iova = iova;
  }

  /**
   * Returns the memory as this process sees it.
   *
   * @return {@link #size} bytes; using them after {@link #close} throws {@link
   *     IllegalStateException}
   */
  public MemorySegment segment() {
    return pages.segment();
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
   * Returns how large the buffer is.
   *
   * @return bytes, a multiple of the page size
   */
  public long size() {
    return pages.segment().byteSize();
  }

  /**
   * Unmaps the memory from the device, then frees it. Later calls do nothing.
   *
   * <p>Freeing waits for other threads' accesses to the segment, which takes the JVM about a tenth
   * of a millisecond: allocate few, large buffers and slice them.
   *
   * @throws VfioException if the kernel refuses to unmap; the memory stays mapped and usable then
   */
  @Override
  public void close() throws VfioException {
    space.free(this);
  }

  void freePages() throws VfioException {
    int answer = pages.free();
    if (answer < 0) {
      throw Failure.of("munmap", "the DMA buffer of " + space, answer, "its memory is lost");
    }
  }
}
