package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;
import java.nio.ByteBuffer;

/**
 * What a vendor has defined in the extended space: VSEC.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param vendorId the vendor's number of it
 * @param vendorVersion the vendor's version of it
 * @param data what follows its headers of eight bytes, to be read
 */
public record VendorExtendedCapability(
    int offset, int version, int vendorId, int vendorVersion, ByteBuffer data)
    implements PciCapability {
  static final int ID = 0x0b;

  /** Keeps the bytes that are left in the buffer. */
  public VendorExtendedCapability {
    data = OtherCapability.copy(data);
  }

  static VendorExtendedCapability read(CapabilityBytes bytes) throws VfioException {
    int size = bytes.require(8).bits(4, 20, 12);
    return new VendorExtendedCapability(
        bytes.offset(),
        bytes.version(),
        bytes.u16(4),
        bytes.bits(4, 16, 4),
        bytes.require(size).data(8, size));
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
    return true;
  }
}
