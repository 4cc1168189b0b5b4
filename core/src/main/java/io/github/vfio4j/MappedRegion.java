package io.github.vfio4j;

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
 * it cannot be written, stores do. Where the device refuses an access (its memory is switched off,
 * it has been unplugged), the JVM throws {@link InternalError} at or shortly after the access.
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
   * Unmaps the region. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the mapping stays as it was then, and keeps the
   *     device busy until closing it again succeeds
   */
  @Override
  public abstract void close() throws VfioException;
}
