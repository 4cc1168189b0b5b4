package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A configuration space made by hand. */
final class Space {
  private final byte[] bytes;
  private final ByteBuffer words;

  /** A device without anything. */
  Space(int size) {
    bytes = new byte[size];
    words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes words of 32 bits. */
  Space put(int at, int... values) {
    for (int i = 0; i < values.length; i++) {
      words.putInt(at + i * Integer.BYTES, values[i]);
    }
    return this;
  }

  /** Has a capability as the only one of the conventional list. */
  Space capability(int at, int... values) {
    return put(0x04, 0x00100000).put(0x34, at).put(at, values);
  }

  byte[] bytes() {
    return bytes;
  }

  ConfigImage image() throws VfioException {
    return ConfigImage.of("0000:00:05.0", bytes);
  }
}
