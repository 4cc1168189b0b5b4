package io.github.vfio4j;

import java.lang.foreign.MemorySegment;

/**
 * A part of a {@link DmaBuffer} that knows where the device sees it: a queue, an entry of it, a
 * page of data.
 *
 * <p>It is a view: it owns nothing, needs no closing, and may be used from any thread. Using its
 * memory after its buffer was closed throws {@link IllegalStateException}.
 */
public final class DmaSlice {
  private final MemorySegment segment;
  private final long iova;
  private final long size;

  private DmaSlice(MemorySegment segment, long iova) {
    this.segment = segment;
    this.iova = iova;
    this.size = segment.byteSize();
  }

  static DmaSlice of(MemorySegment memory, long iova, long offset, long size) {
    if (offset < 0 || size <= 0 || size > memory.byteSize() || offset > memory.byteSize() - size) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x of %s"
              .formatted(size, offset, describe(memory.byteSize(), iova, false)));
    }
    if (!memory.scope().isAlive()) {
      throw new IllegalStateException(describe(memory.byteSize(), iova, true));
    }
    return new DmaSlice(memory.asSlice(offset, size), iova + offset);
  }

  /**
   * Returns a part of this part.
   *
   * @param offset bytes from the start of this part
   * @param size bytes, at least 1
   * @return a view of the same buffer
   * @throws IndexOutOfBoundsException if a byte of it lies outside this part
   * @throws IllegalStateException if the buffer is closed
   */
  public DmaSlice slice(long offset, long size) {
    return of(segment, iova, offset, size);
  }

  /**
   * Returns the memory as this process sees it.
   *
   * @return {@link #size} bytes
   */
  public MemorySegment segment() {
    return segment;
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
   * Returns how large this part is.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  private static String describe(long size, long iova, boolean closed) {
    return "0x%x bytes of DMA memory at IOVA 0x%x%s"
        .formatted(size, iova, closed ? ", whose buffer is closed" : "");
  }

  /** Returns its size, its IOVA, and whether its buffer is closed. */
  @Override
  public String toString() {
    return describe(size, iova, !segment.scope().isAlive());
  }
}
