package io.github.vfio4j.lab.coverage;

/**
 * A number in the structure of a call.
 *
 * @param inReply whether the kernel writes it
 * @param offset where it is, in bytes
 * @param size how long it is, in bytes
 */
record TracedField(boolean inReply, long offset, int size) {
  static TracedField passed(long offset) {
    return new TracedField(false, offset, Integer.BYTES);
  }

  static TracedField passedShort(long offset) {
    return new TracedField(false, offset, Short.BYTES);
  }

  static TracedField returned(long offset) {
    return new TracedField(true, offset, Integer.BYTES);
  }

  static TracedField returnedLong(long offset) {
    return new TracedField(true, offset, Long.BYTES);
  }

  long in(TracedCall call) {
    return inReply ? call.returned(offset, size) : call.passed(offset, size);
  }
}
