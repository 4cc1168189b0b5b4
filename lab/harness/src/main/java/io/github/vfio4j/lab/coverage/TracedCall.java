package io.github.vfio4j.lab.coverage;

import java.util.HexFormat;

/** One line of the library's trace. */
final class TracedCall {
  private static final String NOTHING = "-";
  private static final String UNCHANGED = "=";
  private static final int FIELDS = 5;

  private final String request;
  private final long answer;
  private final byte[] argument;
  private final byte[] reply;
  private final String file;

  /** Reads a line; throws IllegalArgumentException where it is none. */
  TracedCall(String line) {
    String[] fields = line.split(" ", FIELDS);
    if (fields.length < FIELDS) {
      throw new IllegalArgumentException("not a line of a trace: " + line);
    }
    request = fields[0];
    answer = Long.parseLong(fields[1]);
    argument = bytes(fields[2]);
    reply = fields[3].equals(UNCHANGED) ? argument : bytes(fields[3]);
    file = fields[4];
  }

  private static byte[] bytes(String field) {
    return field.equals(NOTHING) || field.startsWith("int:")
        ? new byte[0]
        : HexFormat.of().parseHex(field);
  }

  /** The ioctl's number in hexadecimal, {@code read} or {@code write}. */
  String request() {
    return request;
  }

  /** The name of the file it was done to. */
  String file() {
    return file;
  }

  boolean succeeded() {
    return answer >= 0;
  }

  /** A number in the structure as it was passed; what is not there is 0, as the kernel takes it. */
  long passed(long offset, int size) {
    return at(argument, offset, size);
  }

  /** A number in the structure as the kernel left it. */
  long returned(long offset, int size) {
    return at(reply, offset, size);
  }

  int returnedLength() {
    return reply.length;
  }

  private static long at(byte[] bytes, long offset, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      long at = offset + i;
      value = value << Byte.SIZE | (at < bytes.length ? Byte.toUnsignedInt(bytes[(int) at]) : 0);
    }
    return value;
  }
}
