package io.github.vfio4j.model;

import io.github.vfio4j.MappedRegion;
import java.util.function.Consumer;

/** The registers of a model, mapped: each access is a call of the model. */
final class ModelRegisters extends MappedRegion {
  private final Chassis chassis;
  private final int bar;
  private final long offset;
  private final long size;
  private final String name;
  private final Consumer<MappedRegion> owner;
  private volatile boolean closed;

  ModelRegisters(
      Chassis chassis, int bar, long offset, long size, String name, Consumer<MappedRegion> owner) {
    this.chassis = chassis;
    this.bar = bar;
    this.offset = offset;
    this.size = size;
    this.name = name;
    this.owner = owner;
  }

  @Override
  public long offset() {
    return offset;
  }

  @Override
  public long size() {
    return size;
  }

  private void check(long at, int width) {
    if (closed) {
      throw new IllegalStateException("The mapping of " + name + " is closed");
    }
    if (at < 0 || at >= size) {
      throw new IndexOutOfBoundsException(
          "Offset 0x%x of a mapping of 0x%x bytes of %s".formatted(at, size, name));
    }
    if ((at & (width - 1)) != 0) {
      throw new IllegalArgumentException(
          "Offset 0x%x of a mapping of %s is not a multiple of %d".formatted(at, name, width));
    }
    if (chassis.isOff(bar)) {
      throw new InternalError(name + " does not answer: its memory is switched off");
    }
  }

  private long load(long at, int width) {
    check(at, width);
    return chassis.read(bar, offset + at, width);
  }

  private void store(long at, int width, long value) {
    check(at, width);
    chassis.write(bar, offset + at, width, value);
  }

  @Override
  public byte getByte(long at) {
    return (byte) load(at, Byte.BYTES);
  }

  @Override
  public byte getByteAcquire(long at) {
    return (byte) load(at, Byte.BYTES);
  }

  @Override
  public void setByte(long at, byte value) {
    store(at, Byte.BYTES, Byte.toUnsignedLong(value));
  }

  @Override
  public void setByteRelease(long at, byte value) {
    store(at, Byte.BYTES, Byte.toUnsignedLong(value));
  }

  @Override
  public short getShort(long at) {
    return (short) load(at, Short.BYTES);
  }

  @Override
  public short getShortAcquire(long at) {
    return (short) load(at, Short.BYTES);
  }

  @Override
  public void setShort(long at, short value) {
    store(at, Short.BYTES, Short.toUnsignedLong(value));
  }

  @Override
  public void setShortRelease(long at, short value) {
    store(at, Short.BYTES, Short.toUnsignedLong(value));
  }

  @Override
  public int getInt(long at) {
    return (int) load(at, Integer.BYTES);
  }

  @Override
  public int getIntAcquire(long at) {
    return (int) load(at, Integer.BYTES);
  }

  @Override
  public void setInt(long at, int value) {
    store(at, Integer.BYTES, Integer.toUnsignedLong(value));
  }

  @Override
  public void setIntRelease(long at, int value) {
    store(at, Integer.BYTES, Integer.toUnsignedLong(value));
  }

  @Override
  public long getLong(long at) {
    return load(at, Long.BYTES);
  }

  @Override
  public long getLongAcquire(long at) {
    return load(at, Long.BYTES);
  }

  @Override
  public void setLong(long at, long value) {
    store(at, Long.BYTES, value);
  }

  @Override
  public void setLongRelease(long at, long value) {
    store(at, Long.BYTES, value);
  }

  @Override
  public void close() {
    closed = true;
    owner.accept(this);
  }

  /** Returns which part of which region it maps, and whether it is closed. */
  @Override
  public String toString() {
    return "0x%x bytes at 0x%x of %s%s".formatted(size, offset, name, closed ? ", closed" : "");
  }
}
