package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * Process address space IDs: PASID.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param bits how many bits they have
 * @param execute whether the device can ask to execute
 * @param privileged whether it can ask as privileged
 * @param enabled whether it may use them
 */
public record PasidCapability(
    int offset, int version, int bits, boolean execute, boolean privileged, boolean enabled)
    implements PciCapability {
  static final int ID = 0x1b;

  static PasidCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(8);
    return new PasidCapability(
        bytes.offset(),
        bytes.version(),
        bytes.u16(4) >>> 8 & 0x1f,
        bytes.bit(4, 1),
        bytes.bit(4, 2),
        bytes.bit(6, 0));
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
