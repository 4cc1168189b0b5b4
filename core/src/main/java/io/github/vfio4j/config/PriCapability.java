package io.github.vfio4j.config;

import io.github.vfio4j.VfioException;

/**
 * The page request interface: PRI.
 *
 * @param offset where it starts
 * @param version the version of its layout
 * @param enabled whether the device may ask for pages
 * @param stopped whether it has no request under way
 * @param failed whether an answer to a request said that it failed
 * @param pasidRequired whether answers to its requests with a PASID have one too
 * @param capacity how many requests it can have under way
 * @param allocation how many it may have
 */
public record PriCapability(
    int offset,
    int version,
    boolean enabled,
    boolean stopped,
    boolean failed,
    boolean pasidRequired,
    long capacity,
    long allocation)
    implements PciCapability {
  static final int ID = 0x13;

  static PriCapability read(CapabilityBytes bytes) throws VfioException {
    bytes.require(16);
    return new PriCapability(
        bytes.offset(),
        bytes.version(),
        bytes.bit(4, 0),
        bytes.bit(6, 8),
        bytes.bit(6, 0),
        bytes.bit(6, 15),
        Integer.toUnsignedLong(bytes.i32(8)),
        Integer.toUnsignedLong(bytes.i32(12)));
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
