package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * Message-signalled interrupts of the extended kind: MSI-X.
 *
 * @param offset where it starts
 * @param vectors how many the device has, up to 2048
 * @param enabled whether the device uses them
 * @param masked whether all are masked
 * @param tableBar in which base address register their table is
 * @param tableOffset where in it, in bytes; 16 for each vector
 * @param pendingBar in which base address register their pending bits are
 * @param pendingOffset where in it, in bytes
 */
public record MsixCapability(
    int offset,
    int vectors,
    boolean enabled,
    boolean masked,
    int tableBar,
    long tableOffset,
    int pendingBar,
    long pendingOffset)
    implements PciCapability {
  static final int ID = 0x11;

  static MsixCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(12);
    return new MsixCapability(
        bytes.offset(),
        (bytes.u16(2) & 0x7ff) + 1,
        bytes.bit(2, 15),
        bytes.bit(2, 14),
        bytes.i32(4) & 0x7,
        Integer.toUnsignedLong(bytes.i32(4) & ~0x7),
        bytes.i32(8) & 0x7,
        Integer.toUnsignedLong(bytes.i32(8) & ~0x7));
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
