package io.github.vfio4j.nvme;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** What a controller has said of something, little-endian. */
final class Fields {
  private final ByteBuffer bytes;

  Fields(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  int byteAt(int offset) {
    return Byte.toUnsignedInt(bytes.get(offset));
  }

  int shortAt(int offset) {
    return Short.toUnsignedInt(bytes.getShort(offset));
  }

  int intAt(int offset) {
    return bytes.getInt(offset);
  }

  long longAt(int offset) {
    return bytes.getLong(offset);
  }

  /** Returns the numbers of namespaces in a list, which ends where it is full, or with a 0. */
  List<Integer> idsAt(int offset, int size) {
    List<Integer> ids = new ArrayList<>();
    for (int at = offset; at < offset + size && intAt(at) != 0; at += Integer.BYTES) {
      ids.add(intAt(at));
    }
    return ids;
  }

  /** Returns a number of 128 bits. */
  BigInteger bigAt(int offset) {
    byte[] number = new byte[2 * Long.BYTES];
    for (int i = 0; i < number.length; i++) {
      number[i] = bytes.get(offset + number.length - 1 - i);
    }
    return new BigInteger(1, number);
  }

  /** Returns a text, without the blanks around it and with a mark for each odd byte. */
  String textAt(int offset, int length) {
    byte[] text = new byte[length];
    bytes.get(offset, text);
    for (int i = 0; i < length; i++) {
      if (text[i] == 0) {
        text[i] = ' ';
      } else if (text[i] < ' ' || text[i] == 0x7f) {
        text[i] = '?';
      }
    }
    return new String(text, StandardCharsets.US_ASCII).strip();
  }
}
