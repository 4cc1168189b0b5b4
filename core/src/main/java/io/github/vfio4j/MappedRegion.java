package io.github.vfio4j;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;

/**
 * A region, or a part of one, mapped into this process: registers and doorbells.
 *
 * <p>Each access is one load or store of its own width, little-endian, at an offset that is a
 * multiple of that width; the compiler neither splits, merges, repeats nor drops it. Accesses by
 * {@code get} and {@code set} keep their order among themselves on the same thread as the device
 * sees uncached memory, but not with ordinary memory: read a status by {@code getAcquire} before
 * reading what a device wrote to memory, and ring a doorbell by {@code setRelease} after writing
 * what it shall read.
 *
 * <p>Accesses allocate nothing, take no lock and may be made from any thread. An offset outside the
 * mapping throws {@link IndexOutOfBoundsException}, one that is no multiple of the width {@link
 * IllegalArgumentException}. After {@link #close} they throw {@link IllegalStateException}; one
 * that races with closing touches neither the device nor any other memory. Where {@link RegionInfo}
 * says that the region cannot be read, loads throw {@link UnsupportedOperationException}, and where
 * it cannot be written, stores do.
 *
 * <p>Where the kernel has taken the registers away (the device's memory is switched off, or it
 * sleeps), the JVM throws {@link InternalError} at the access, or, in compiled code, shortly after
 * it: what a load returned until then means nothing. During a reset an access waits. Loads from a
 * device that is there no more return all ones on real hardware, and stores go nowhere; some
 * processors, Arm's among them, report an error instead, which again is an {@link InternalError}.
 */
public abstract class MappedRegion implements AutoCloseable {
  /** For the library, and for stand-ins of a region in tests. */
  public MappedRegion() {}

  /**
   * Returns where in the region the mapping starts.
   *
   * @return bytes from the start of the region
   */
  public abstract long offset();

  /**
   * Returns how much is mapped.
   *
   * @return bytes
   */
  public abstract long size();

  /**
   * Reads a block, in ascending order: by loads of 64 bits where they are aligned, else of 8.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param target filled whole
   * @throws IllegalArgumentException if the memory is read-only
   * @throws IllegalStateException if the memory has been freed
   * @throws WrongThreadException if the memory is another thread's alone
   */
  public final void read(long at, MemorySegment target) {
    requireInside(at, target);
    long size = target.byteSize();
    for (long done = 0; done < size; ) {
      if (isWide(at + done, size - done)) {
        target.set(LittleEndian.LONG_UNALIGNED, done, getLong(at + done));
        done += Long.BYTES;
      } else {
        target.set(ValueLayout.JAVA_BYTE, done, getByte(at + done));
        done++;
      }
    }
  }

  /**
   * Writes a block, in ascending order: by stores of 64 bits where they are aligned, else of 8.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param source written whole
   * @throws IllegalStateException if the memory has been freed
   * @throws WrongThreadException if the memory is another thread's alone
   */
  public final void write(long at, MemorySegment source) {
    requireInside(at, source);
    long size = source.byteSize();
    for (long done = 0; done < size; ) {
      if (isWide(at + done, size - done)) {
        setLong(at + done, source.get(LittleEndian.LONG_UNALIGNED, done));
        done += Long.BYTES;
      } else {
        setByte(at + done, source.get(ValueLayout.JAVA_BYTE, done));
        done++;
      }
    }
  }

  private void requireInside(long at, MemorySegment block) {
    long size = block.byteSize();
    if (at < 0 || size > size() || at > size() - size) {
      throw new IndexOutOfBoundsException("0x%x bytes at 0x%x of %s".formatted(size, at, this));
    }
  }

  private static boolean isWide(long at, long left) {
    return left >= Long.BYTES && (at & (Long.BYTES - 1)) == 0;
  }

  /**
   * Reads 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @return the value
   */
  public abstract byte getByte(long at);

  /**
   * Reads, before all later accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @return the value
   */
  public abstract byte getByteAcquire(long at);

  /**
   * Writes 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param value the value
   */
  public abstract void setByte(long at, byte value);

  /**
   * Writes, after all earlier accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param value the value
   */
  public abstract void setByteRelease(long at, byte value);

  /**
   * Reads 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @return the value
   */
  public abstract short getShort(long at);

  /**
   * Reads, before all later accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @return the value
   */
  public abstract short getShortAcquire(long at);

  /**
   * Writes 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @param value the value
   */
  public abstract void setShort(long at, short value);

  /**
   * Writes, after all earlier accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @param value the value
   */
  public abstract void setShortRelease(long at, short value);

  /**
   * Reads 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @return the value
   */
  public abstract int getInt(long at);

  /**
   * Reads, before all later accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @return the value
   */
  public abstract int getIntAcquire(long at);

  /**
   * Writes 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @param value the value
   */
  public abstract void setInt(long at, int value);

  /**
   * Writes, after all earlier accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @param value the value
   */
  public abstract void setIntRelease(long at, int value);

  /**
   * Reads 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @return the value
   */
  public abstract long getLong(long at);

  /**
   * Reads, before all later accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @return the value
   */
  public abstract long getLongAcquire(long at);

  /**
   * Writes 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @param value the value
   */
  public abstract void setLong(long at, long value);

  /**
   * Writes, after all earlier accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @param value the value
   */
  public abstract void setLongRelease(long at, long value);

  /**
   * Waits until some of 8 bits have a value, reading them by {@link #getByteAcquire}. It is as
   * {@link #awaitInt}.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 8 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public final byte awaitByte(long at, int mask, int value, Duration timeout) throws VfioException {
    return (byte)
        new BitsWait(
                Byte.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, at, () -> Byte.toUnsignedLong(getByteAcquire(at)));
  }

  /**
   * Waits until some of 16 bits have a value, reading them by {@link #getShortAcquire}. It is as
   * {@link #awaitInt}.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 16 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public final short awaitShort(long at, int mask, int value, Duration timeout)
      throws VfioException {
    return (short)
        new BitsWait(
                Short.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, at, () -> Short.toUnsignedLong(getShortAcquire(at)));
  }

  /**
   * Waits until some of 32 bits have a value, reading them by {@link #getIntAcquire}.
   *
   * <p>It looks without a pause for some microseconds, then sleeps in between, up to a millisecond;
   * the last look is after the timeout. A device that has gone reads as all ones, so a wait for
   * ones only may come to its end by that: have a bit in the mask that stays 0.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
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
  public final int awaitInt(long at, int mask, int value, Duration timeout) throws VfioException {
    return (int)
        new BitsWait(
                Integer.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, at, () -> Integer.toUnsignedLong(getIntAcquire(at)));
  }

  /**
   * Waits until some of 64 bits have a value, reading them by {@link #getLongAcquire}. It is as
   * {@link #awaitInt}.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 64 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  public final long awaitLong(long at, long mask, long value, Duration timeout)
      throws VfioException {
    return new BitsWait(Long.SIZE, mask, value, timeout)
        .onRegister(this, at, () -> getLongAcquire(at));
  }

  /**
   * Unmaps the region. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the mapping stays as it was then, and keeps the
   *     device busy until closing it again succeeds
   */
  @Override
  public abstract void close() throws VfioException;
}
