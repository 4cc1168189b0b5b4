package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** Describes what addresses a device of ACPI takes, or hands on to those behind it. */
final class Resources {
  private static final int WORD = 0x88;
  private static final int DOUBLE_WORD = 0x87;
  private static final int QUAD_WORD = 0x8a;
  private static final int FIXED_MEMORY = 0x86;
  private static final int MEMORY = 0;
  private static final int PORTS = 1;
  private static final int BUSES = 2;

  /** Both ends are fixed, and those behind the device get it. */
  private static final int FIXED = 0xc;

  private static final int ALL_PORTS = 3;
  private static final int WRITABLE = 1;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  byte[] bytes() {
    return bytes.toByteArray();
  }

  Resources buses(int first, int last) {
    return range(WORD, Short.BYTES, BUSES, 0, first, last);
  }

  Resources ports(int first, int last) {
    return range(WORD, Short.BYTES, PORTS, ALL_PORTS, first, last);
  }

  Resources memory(long first, long last) {
    boolean low = last < Layout.FOUR_GIB;
    return range(
        low ? DOUBLE_WORD : QUAD_WORD,
        low ? Integer.BYTES : Long.BYTES,
        MEMORY,
        WRITABLE,
        first,
        last);
  }

  /** Memory that the device takes itself. */
  Resources own(long address, long size) {
    byte[] all = new byte[12];
    of(all)
        .put((byte) FIXED_MEMORY)
        .putShort((short) (all.length - 3))
        .put((byte) WRITABLE)
        .putInt((int) address)
        .putInt((int) size);
    bytes.writeBytes(all);
    return this;
  }

  private Resources range(int kind, int width, int type, int flags, long first, long last) {
    byte[] all = new byte[6 + 5 * width];
    ByteBuffer range = of(all);
    range.put((byte) kind).putShort((short) (all.length - 3));
    range.put((byte) type).put((byte) FIXED).put((byte) flags);
    for (long number : new long[] {0, first, last, 0, last - first + 1}) {
      switch (width) {
        case Short.BYTES -> range.putShort((short) number);
        case Integer.BYTES -> range.putInt((int) number);
        default -> range.putLong(number);
      }
    }
    bytes.writeBytes(all);
    return this;
  }

  private static ByteBuffer of(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
  }
}
