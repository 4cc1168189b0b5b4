package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * Address translation services: ATS.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param queueDepth how many invalidations the device takes at once, 1 to 32
 * @param pageAligned whether its requests are always for whole pages
 * @param enabled whether it may ask for translations
 * @param smallestUnit bytes that it asks for at least, a power of two
 */
public record AtsCapability(
    int offset,
    int version,
    int queueDepth,
    boolean pageAligned,
    boolean enabled,
    long smallestUnit)
    implements PciCapability {
  static final int ID = 0x0f;

  static AtsCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(8);
    int depth = bytes.u16(4) & 0x1f;
    return new AtsCapability(
        bytes.offset(),
        bytes.version(),
        depth == 0 ? 32 : depth,
        bytes.bit(4, 5),
        bytes.bit(6, 15),
        4096L << (bytes.u16(6) & 0x1f));
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
