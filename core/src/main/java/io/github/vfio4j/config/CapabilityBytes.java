package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;

/**
 * The bytes of one capability; offsets are from its start.
 *
 * @param end where its space ends
 * @param next where the next capability begins, or the space ends
 */
record CapabilityBytes(ConfigImage image, String name, int id, int offset, int end, int next) {
  /** Refuses a capability that is cut by the end of its space. */
  CapabilityBytes require(int size) throws VfioException {
    if (size > end - offset) {
      throw new VfioException(
          "read capabilities",
          name,
          null,
          "capability 0x%x at 0x%x of %d bytes reaches out of its space"
              .formatted(id, offset, size));
    }
    return this;
  }

  boolean has(int size) {
    return size <= end - offset;
  }

  int u8(int at) {
    return image.u8(offset + at);
  }

  int u16(int at) {
    return image.u16(offset + at);
  }

  int i32(int at) {
    return image.i32(offset + at);
  }

  long i64(int at) {
    return Integer.toUnsignedLong(i32(at)) | (long) i32(at + Integer.BYTES) << Integer.SIZE;
  }

  /** Returns a bit of 16. */
  boolean bit(int at, int bit) {
    return (u16(at) >>> bit & 1) != 0;
  }

  /** Returns some bits of 32. */
  int bits(int at, int lowest, int count) {
    return i32(at) >>> lowest & (1 << count) - 1;
  }

  /** Returns the version of an extended capability. */
  int version() {
    return u16(2) & 0xf;
  }

  /** Returns what follows a header. */
  ByteBuffer data(int header, int size) {
    return ByteBuffer.wrap(image.bytes(), offset + header, Math.max(0, size - header))
        .slice()
        .asReadOnlyBuffer();
  }

  /** Returns how many bytes there are until the next capability. */
  int length() {
    return next - offset;
  }
}
