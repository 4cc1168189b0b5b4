package io.github.vfio4j;

import java.util.Arrays;

/** The description of a kind of IOMMU that this library does not know, or of none. */
public final class RawHwInfo implements HwData {
  private final int type;
  private final byte[] bytes;

  RawHwInfo(int type, byte[] bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  @Override
  public int type() {
    return type;
  }

  /**
   * Returns the description as the kernel gave it.
   *
   * @return a fresh array; empty where the IOMMU's driver says nothing
   */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Compares type and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RawHwInfo raw && type == raw.type && Arrays.equals(bytes, raw.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * type + Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "hardware of type 0x%x, %d bytes".formatted(type, bytes.length);
  }
}
