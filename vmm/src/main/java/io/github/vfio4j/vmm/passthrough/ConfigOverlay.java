package io.github.vfio4j.vmm.passthrough;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.Region;
import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;

/**
 * The configuration space that the guest sees: the device's, with bits in front of it that are kept
 * here. Some of those the guest can change. Not thread-safe.
 */
final class ConfigOverlay {
  private static final int SIZE = 4096;

  private final Region real;
  private final ByteBuffer values = ByteBuffer.allocate(SIZE).order(LITTLE_ENDIAN);
  private final ByteBuffer atFirst = ByteBuffer.allocate(SIZE).order(LITTLE_ENDIAN);
  private final ByteBuffer kept = ByteBuffer.allocate(SIZE).order(LITTLE_ENDIAN);
  private final ByteBuffer writable = ByteBuffer.allocate(SIZE).order(LITTLE_ENDIAN);
  private boolean closed;

  ConfigOverlay(Region real) {
    this.real = real;
  }

  /**
   * Keeps bits here from now on.
   *
   * @param width 1, 2 or 4 bytes
   * @param mask which bits
   * @param value what they are
   * @param changeable which of them the guest can change
   */
  void keep(int at, int width, int mask, int value, int changeable) {
    put(atFirst, at, width, (get(atFirst, at, width) & ~mask) | (value & mask));
    put(values, at, width, (get(values, at, width) & ~mask) | (value & mask));
    put(kept, at, width, get(kept, at, width) | mask);
    put(writable, at, width, (get(writable, at, width) & ~mask) | (changeable & mask));
  }

  /** Keeps bits that the guest cannot change. */
  void fix(int at, int width, int mask, int value) {
    keep(at, width, mask, value, 0);
  }

  /** Makes what is kept here what it was before the guest has changed it. */
  void reset() {
    values.put(0, atFirst, 0, SIZE);
  }

  /** Returns what is kept here. */
  int value(int at, int width) {
    return get(values, at, width);
  }

  /** Ends it: the device is about to be closed, and what comes after is nobody's. */
  void close() {
    closed = true;
  }

  boolean isClosed() {
    return closed;
  }

  int read(int at, int width) throws VfioException {
    int mask = get(kept, at, width);
    int value = get(values, at, width) & mask;
    return mask == all(width) ? value : value | (readDevice(at, width) & ~mask);
  }

  void write(int at, int width, int value) throws VfioException {
    int mask = get(kept, at, width);
    int changed = mask & get(writable, at, width);
    put(values, at, width, (get(values, at, width) & ~changed) | (value & changed));
    if (mask == 0) {
      writeDevice(at, width, value);
    } else if (mask != all(width)) {
      writeDevice(at, width, (value & ~mask) | (readDevice(at, width) & mask));
    }
  }

  /** Reads past what is kept here. */
  int readDevice(int at, int width) throws VfioException {
    if (at + width > real.size()) {
      return 0;
    }
    return switch (width) {
      case Byte.BYTES -> Byte.toUnsignedInt(real.readByte(at));
      case Short.BYTES -> Short.toUnsignedInt(real.readShort(at));
      default -> real.readInt(at);
    };
  }

  /** Writes past what is kept here. */
  void writeDevice(int at, int width, int value) throws VfioException {
    if (at + width <= real.size()) {
      switch (width) {
        case Byte.BYTES -> real.writeByte(at, (byte) value);
        case Short.BYTES -> real.writeShort(at, (short) value);
        default -> real.writeInt(at, value);
      }
    }
  }

  private static int all(int width) {
    return width == Integer.BYTES ? -1 : (1 << (width * Byte.SIZE)) - 1;
  }

  private static int get(ByteBuffer from, int at, int width) {
    return switch (width) {
      case Byte.BYTES -> Byte.toUnsignedInt(from.get(at));
      case Short.BYTES -> Short.toUnsignedInt(from.getShort(at));
      default -> from.getInt(at);
    };
  }

  private static void put(ByteBuffer into, int at, int width, int value) {
    switch (width) {
      case Byte.BYTES -> into.put(at, (byte) value);
      case Short.BYTES -> into.putShort(at, (short) value);
      default -> into.putInt(at, value);
    }
  }
}
