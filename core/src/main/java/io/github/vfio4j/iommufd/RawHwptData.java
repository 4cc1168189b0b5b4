package io.github.vfio4j.iommufd;

import java.util.Arrays;

/** Data of a kind of page table that this library does not know, as the kernel reads it. */
public final class RawHwptData implements HwptData {
  private final int type;
  private final byte[] bytes;

  /**
   * Takes a copy of the data.
   *
   * @param type the kernel's number of the kind; not 0, which stands for no data
   * @param bytes the structure of that kind, not empty
   * @throws IllegalArgumentException if the type is 0 or there are no bytes
   */
  public RawHwptData(int type, byte[] bytes) {
    if (type == 0 || bytes.length == 0) {
      throw new IllegalArgumentException("Data of a page table has a type and a size, not 0");
    }
    this.type = type;
    this.bytes = bytes.clone();
  }

  @Override
  public int type() {
    return type;
  }

  @Override
  public byte[] bytes() {
    return bytes.clone();
  }

  /** Compares type and bytes. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RawHwptData raw && type == raw.type && Arrays.equals(bytes, raw.bytes);
  }

  @Override
  public int hashCode() {
    return 31 * type + Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "data of type 0x%x, %d bytes".formatted(type, bytes.length);
  }
}
