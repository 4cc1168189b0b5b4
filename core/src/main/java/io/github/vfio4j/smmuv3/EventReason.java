package io.github.vfio4j.smmuv3;

/** Why an access of a device has failed: those events of SMMUv3 that the kernel gives a guest. */
public enum EventReason {
  /** The stream table entry makes no sense to the SMMU. */
  C_BAD_STE(0x04),

  /** The device has no substreams, or not for a request without one. */
  F_STREAM_DISABLED(0x06),

  /** The substream has no context descriptor. */
  C_BAD_SUBSTREAMID(0x08),

  /** The context descriptor is invalid, or makes no sense to the SMMU. */
  C_BAD_CD(0x0a),

  /** Nothing is mapped at the address. */
  F_TRANSLATION(0x10),

  /** An address in or behind the page tables has more bits than the SMMU. */
  F_ADDR_SIZE(0x11),

  /** The access flag of the page is clear. */
  F_ACCESS(0x12),

  /** The page does not allow such an access. */
  F_PERMISSION(0x13),

  /** None that this library knows; {@link Event#id} has its number. */
  UNKNOWN(-1);

  private final int id;

  EventReason(int id) {
    this.id = id;
  }

  static EventReason of(int id) {
    for (EventReason reason : values()) {
      if (reason.id == id) {
        return reason;
      }
    }
    return UNKNOWN;
  }

  /** Returns whether it is about an address, which is in the event then. */
  boolean hasAddress() {
    return switch (this) {
      case F_TRANSLATION, F_ADDR_SIZE, F_ACCESS, F_PERMISSION -> true;
      case C_BAD_STE, F_STREAM_DISABLED, C_BAD_SUBSTREAMID, C_BAD_CD, UNKNOWN -> false;
    };
  }
}
