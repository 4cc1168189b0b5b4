package io.github.vfio4j.lab.coverage;

/**
 * A number in a structure.
 *
 * @param inReply whether the kernel writes it
 * @param offset where it is, in bytes
 * @param size how long it is, in bytes
 */
record Field(boolean inReply, long offset, int size) {
  static Field passed(long offset) {
    return new Field(false, offset, Integer.BYTES);
  }

  static Field passedShort(long offset) {
    return new Field(false, offset, Short.BYTES);
  }

  static Field returned(long offset) {
    return new Field(true, offset, Integer.BYTES);
  }

  static Field returnedLong(long offset) {
    return new Field(true, offset, Long.BYTES);
  }

  long in(TracedCall call) {
    return inReply ? call.returned(offset, size) : call.passed(offset, size);
  }
}
