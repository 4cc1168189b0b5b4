package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;

/**
 * What a vendor has defined, virtio for one.
 *
 * @param offset where it starts
 * @param data what follows its header of three bytes, to be read
 */
public record VendorCapability(int offset, ByteBuffer data) implements PciCapability {
  static final int ID = 0x09;

  /** Keeps the bytes that are left in the buffer. */
  public VendorCapability {
    data = OtherCapability.copy(data);
  }

  static VendorCapability read(CapabilityBytes bytes) throws VfioException {
    int size = bytes.require(3).u8(2);
    return new VendorCapability(bytes.offset(), bytes.require(size).data(3, size));
  }

  /**
   * Returns what follows its header.
   *
   * @return the bytes, to be read, with a position of their own
   */
  @Override
  public ByteBuffer data() {
    return data.duplicate();
  }

  @Override
  public int id() {
    return ID;
  }

  @Override
  public boolean isExtended() {
    return false;
  }
}
