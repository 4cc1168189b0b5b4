package io.github.vfio4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * A part of a {@link DmaBuffer} that knows where the device sees it: a queue, an entry of it, a
 * page of data.
 *
 * <p>It is a view: it owns nothing, needs no closing, and may be used from any thread. Using its
 * memory after its buffer was closed throws {@link IllegalStateException}.
 *
 * <p>Each access is little-endian whatever the processor is, lies inside and is aligned, or is
 * refused by {@link IndexOutOfBoundsException} or {@link IllegalArgumentException}; it allocates
 * nothing. Those by {@code get} and {@code set} are ordinary ones, which the compiler may move,
 * merge and leave out. Where the device may write, read by {@code getAcquire} what says that it has
 * written, such as the phase of a completion, and the rest after that. Where it may read, write by
 * {@code setRelease} what says that it shall, such as the index of a queue, or ring its doorbell by
 * a release write to a {@link MappedRegion}.
 */
public final class DmaSlice {
  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
  private static final VarHandle SHORT = LittleEndian.SHORT.varHandle();
  private static final VarHandle INT = LittleEndian.INT.varHandle();
  private static final VarHandle LONG = LittleEndian.LONG.varHandle();

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

  /**
   * Reads 8 bits.
   *
   * @param at bytes from the start of this part
   * @return the value
   */
  public byte getByte(long at) {
    return (byte) BYTE.get(segment, check(at, 1));
  }

  /**
   * Reads, before all later accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of this part
   * @return the value
   */
  public byte getByteAcquire(long at) {
    return (byte) BYTE.getAcquire(segment, check(at, 1));
  }

  /**
   * Writes 8 bits.
   *
   * @param at bytes from the start of this part
   * @param value the value
   */
  public void setByte(long at, byte value) {
    BYTE.set(segment, check(at, 1), value);
  }

  /**
   * Writes, after all earlier accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of this part
   * @param value the value
   */
  public void setByteRelease(long at, byte value) {
    BYTE.setRelease(segment, check(at, 1), value);
  }

  /**
   * Reads 16 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 2
   * @return the value
   */
  public short getShort(long at) {
    return (short) SHORT.get(segment, check(at, 2));
  }

  /**
   * Reads, before all later accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 2
   * @return the value
   */
  public short getShortAcquire(long at) {
    return (short) SHORT.getAcquire(segment, check(at, 2));
  }

  /**
   * Writes 16 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 2
   * @param value the value
   */
  public void setShort(long at, short value) {
    SHORT.set(segment, check(at, 2), value);
  }

  /**
   * Writes, after all earlier accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 2
   * @param value the value
   */
  public void setShortRelease(long at, short value) {
    SHORT.setRelease(segment, check(at, 2), value);
  }

  /**
   * Reads 32 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 4
   * @return the value
   */
  public int getInt(long at) {
    return (int) INT.get(segment, check(at, 4));
  }

  /**
   * Reads, before all later accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 4
   * @return the value
   */
  public int getIntAcquire(long at) {
    return (int) INT.getAcquire(segment, check(at, 4));
  }

  /**
   * Writes 32 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 4
   * @param value the value
   */
  public void setInt(long at, int value) {
    INT.set(segment, check(at, 4), value);
  }

  /**
   * Writes, after all earlier accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 4
   * @param value the value
   */
  public void setIntRelease(long at, int value) {
    INT.setRelease(segment, check(at, 4), value);
  }

  /**
   * Reads 64 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 8
   * @return the value
   */
  public long getLong(long at) {
    return (long) LONG.get(segment, check(at, 8));
  }

  /**
   * Reads, before all later accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 8
   * @return the value
   */
  public long getLongAcquire(long at) {
    return (long) LONG.getAcquire(segment, check(at, 8));
  }

  /**
   * Writes 64 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 8
   * @param value the value
   */
  public void setLong(long at, long value) {
    LONG.set(segment, check(at, 8), value);
  }

  /**
   * Writes, after all earlier accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 8
   * @param value the value
   */
  public void setLongRelease(long at, long value) {
    LONG.setRelease(segment, check(at, 8), value);
  }

  /**
   * Waits until the device has given some of 8 bits a value, reading them by {@link
   * #getByteAcquire}. It is as {@link #awaitInt}.
   *
   * @param at bytes from the start of this part
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 8 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public byte awaitByte(long at, int mask, int value, Duration timeout) throws VfioException {
    return (byte)
        new BitsWait(
                Byte.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onMemory(this, at, () -> Byte.toUnsignedLong(getByteAcquire(at)));
  }

  /**
   * Waits until the device has given some of 16 bits a value, reading them by {@link
   * #getShortAcquire}. It is as {@link #awaitInt}.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 2
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 16 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public short awaitShort(long at, int mask, int value, Duration timeout) throws VfioException {
    return (short)
        new BitsWait(
                Short.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onMemory(this, at, () -> Short.toUnsignedLong(getShortAcquire(at)));
  }

  /**
   * Waits until the device has given some of 32 bits a value, reading them by {@link
   * #getIntAcquire}.
   *
   * <p>It looks without a pause for some microseconds, then sleeps in between, up to a millisecond;
   * the last look is after the timeout. A device that has gone writes nothing.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 4
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 32 bits, as they were seen then
   * @throws IllegalArgumentException if the mask is 0, or the value has bits outside it, or the
   *     timeout is negative
   * @throws IndexOutOfBoundsException if a part lies outside
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException if the thread is interrupted, and stays so
   */
  public int awaitInt(long at, int mask, int value, Duration timeout) throws VfioException {
    return (int)
        new BitsWait(
                Integer.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onMemory(this, at, () -> Integer.toUnsignedLong(getIntAcquire(at)));
  }

  /**
   * Waits until the device has given some of 64 bits a value, reading them by {@link
   * #getLongAcquire}. It is as {@link #awaitInt}.
   *
   * @param at bytes from the start of this part, at an IOVA that is a multiple of 8
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 64 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public long awaitLong(long at, long mask, long value, Duration timeout) throws VfioException {
    return new BitsWait(Long.SIZE, mask, value, timeout)
        .onMemory(this, at, () -> getLongAcquire(at));
  }

  /** Returns an offset whose bytes are all inside, and aligned for the processor and the device. */
  private long check(long at, int width) {
    if (at < 0 || at > size - width || ((iova + at) & width - 1) != 0) {
      throw refusal(at, width);
    }
    return at;
  }

  private RuntimeException refusal(long at, int width) {
    if (at < 0 || at > size - width) {
      return new IndexOutOfBoundsException("%d bytes at 0x%x of %s".formatted(width, at, this));
    }
    return new IllegalArgumentException(
        "IOVA 0x%x, 0x%x into %s, is not a multiple of %d".formatted(iova + at, at, this, width));
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
