package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * The device's serial number.
 *
 * @param offset where it starts
 * @param serialNumber 64 bits, an EUI-64
 */
public record SerialNumberCapability(int offset, long serialNumber) implements PciCapability {
  static final int ID = 0x03;

  static SerialNumberCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(12);
    return new SerialNumberCapability(bytes.offset(), bytes.i64(4));
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
