package io.github.vfio4j;

import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Mmio;
import java.lang.ref.Reference;
import java.util.function.Consumer;

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
 * <p>Accesses allocate nothing, take no lock and may be made from any thread. After {@link #close}
 * they throw {@link IllegalStateException}; one that races with closing touches neither the device
 * nor any other memory. Where the device refuses an access (its memory is switched off, it has been
 * unplugged), the JVM throws {@link InternalError} at or shortly after the access.
 */
public final class MappedRegion implements AutoCloseable {
  private final Consumer<MappedRegion> owner;
  private final String name;
  private final DeviceMapping mapping;
  private final int base;
  private final long offset;
  private final long size;

  /** The size while open, 0 when closed: one comparison refuses both kinds of access. */
  private long limit;

  /**
   * Takes over a mapping.
   *
   * @param owner is told when it is closed
   * @param name what messages call the region
   */
  MappedRegion(
      Consumer<MappedRegion> owner, String name, DeviceMapping mapping, long offset, long size) {
    this.owner = owner;
    this.name = name;
    this.mapping = mapping;
    this.base = mapping.base();
    this.offset = offset;
    this.size = size;
    this.limit = size;
  }

  /**
   * Returns where in the region the mapping starts.
   *
   * @return bytes from the start of the region
   */
  public long offset() {
    return offset;
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
   * Reads 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @return the value
   */
  public byte getByte(long at) {
    try {
      return Mmio.getByte(base, check(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads, before all later accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @return the value
   */
  public byte getByteAcquire(long at) {
    try {
      return Mmio.getByteAcquire(base, check(at, 1));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param value the value
   */
  public void setByte(long at, byte value) {
    try {
      Mmio.setByte(base, check(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes, after all earlier accesses of this thread, 8 bits.
   *
   * @param at bytes from the start of the mapping, of any alignment
   * @param value the value
   */
  public void setByteRelease(long at, byte value) {
    try {
      Mmio.setByteRelease(base, check(at, 1), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @return the value
   */
  public short getShort(long at) {
    try {
      return Mmio.getShort(base, check(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads, before all later accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @return the value
   */
  public short getShortAcquire(long at) {
    try {
      return Mmio.getShortAcquire(base, check(at, 2));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @param value the value
   */
  public void setShort(long at, short value) {
    try {
      Mmio.setShort(base, check(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes, after all earlier accesses of this thread, 16 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 2
   * @param value the value
   */
  public void setShortRelease(long at, short value) {
    try {
      Mmio.setShortRelease(base, check(at, 2), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @return the value
   */
  public int getInt(long at) {
    try {
      return Mmio.getInt(base, check(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads, before all later accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @return the value
   */
  public int getIntAcquire(long at) {
    try {
      return Mmio.getIntAcquire(base, check(at, 4));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @param value the value
   */
  public void setInt(long at, int value) {
    try {
      Mmio.setInt(base, check(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes, after all earlier accesses of this thread, 32 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 4
   * @param value the value
   */
  public void setIntRelease(long at, int value) {
    try {
      Mmio.setIntRelease(base, check(at, 4), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @return the value
   */
  public long getLong(long at) {
    try {
      return Mmio.getLong(base, check(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Reads, before all later accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @return the value
   */
  public long getLongAcquire(long at) {
    try {
      return Mmio.getLongAcquire(base, check(at, 8));
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @param value the value
   */
  public void setLong(long at, long value) {
    try {
      Mmio.setLong(base, check(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /**
   * Writes, after all earlier accesses of this thread, 64 bits.
   *
   * @param at bytes from the start of the mapping, a multiple of 8
   * @param value the value
   */
  public void setLongRelease(long at, long value) {
    try {
      Mmio.setLongRelease(base, check(at, 8), value);
    } finally {
      Reference.reachabilityFence(mapping);
    }
  }

  /** Returns an aligned offset; pages are whole, so its bytes are all inside. */
  private long check(long at, int width) {
    if (Long.compareUnsigned(at, limit) >= 0 || (at & width - 1) != 0) {
      throw refusal(at, width);
    }
    return at;
  }

  private RuntimeException refusal(long at, int width) {
    if (limit == 0) {
      return new IllegalStateException("The mapping of " + name + " is closed");
    }
    if (Long.compareUnsigned(at, limit) >= 0) {
      return new IndexOutOfBoundsException(
          "Offset 0x%x of a mapping of 0x%x bytes of %s".formatted(at, size, name));
    }
    return new IllegalArgumentException(
        "Offset 0x%x of a mapping of %s is not a multiple of %d".formatted(at, name, width));
  }

  /**
   * Unmaps the region. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the mapping keeps the device busy then
   */
  @Override
  public void close() throws VfioException {
    limit = 0;
    int answer = mapping.close();
    if (answer < 0) {
      throw Failure.of("mmap", "the mapping of " + name, answer, "cannot take the device out");
    }
    owner.accept(this);
  }
}
