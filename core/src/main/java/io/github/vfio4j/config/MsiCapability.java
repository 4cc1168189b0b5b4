package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * Message-signalled interrupts: MSI.
 *
 * @param offset where it starts
 * @param enabled whether the device uses them
 * @param vectors how many the device has: a power of two, up to 32 unless it is broken
 * @param vectorsInUse how many it was allowed
 * @param wide whether their address has 64 bits
 * @param maskable whether each can be masked
 */
public record MsiCapability(
    int offset, boolean enabled, int vectors, int vectorsInUse, boolean wide, boolean maskable)
    implements PciCapability {
  static final int ID = 0x05;

  static MsiCapability read(CapabilityBytes bytes) throws VfioException {
    boolean wide = bytes.require(4).bit(2, 7);
    boolean maskable = bytes.bit(2, 8);
    bytes.require(maskable ? wide ? 24 : 20 : wide ? 14 : 10);
    return new MsiCapability(
        bytes.offset(),
        bytes.bit(2, 0),
        1 << (bytes.u16(2) >>> 1 & 0x7),
        1 << (bytes.u16(2) >>> 4 & 0x7),
        wide,
        maskable);
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
