package io.github.vfio4j.config;

import java.util.List;
import java.util.Optional;

/**
 * The header of a configuration space.
 *
 * @param vendorId the vendor's ID, 16 bits; all ones in sysfs of a virtual function, which has its
 *     IDs from the function that it belongs to
 * @param deviceId which of the vendor's devices it is, 16 bits
 * @param command the command register
 * @param status the status register
 * @param revision the device's revision, 8 bits
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param layout 0 of a device, 1 of a bridge, 2 of a CardBus bridge
 * @param multiFunction whether the device says that it has other functions
 * @param subsystemVendorId the maker of the card, 16 bits; 0 of a bridge
 * @param subsystemId which of the maker's cards it is, 16 bits; 0 of a bridge
 * @param interruptPin 1 to 4 for INTA to INTD, 0 for none
 * @param baseAddresses the base address registers that it has, ascending
 * @param rom the expansion ROM, if it has one
 */
public record ConfigHeader(
    int vendorId,
    int deviceId,
    int command,
    int status,
    int revision,
    int classCode,
    int layout,
    boolean multiFunction,
    int subsystemVendorId,
    int subsystemId,
    int interruptPin,
    List<BaseAddress> baseAddresses,
    Optional<ExpansionRom> rom) {
  private static final int BARS = 0x10;
  private static final int ROM_NUMBER = 6;
  private static final int ROM_ENABLED = 0x1;
  private static final int ROM_ADDRESS = ~0x7ff;
  private static final int MULTI_FUNCTION = 0x80;

  /** Keeps its own copy of the list. */
  public ConfigHeader {
    baseAddresses = List.copyOf(baseAddresses);
  }

  static ConfigHeader read(ConfigImage image) {
    int type = image.u8(0x0e);
    int layout = type & ~MULTI_FUNCTION;
    boolean device = layout == 0;
    return new ConfigHeader(
        image.u16(0x00),
        image.u16(0x02),
        image.u16(0x04),
        image.u16(0x06),
        image.u8(0x08),
        image.i32(0x08) >>> 8,
        layout,
        (type & MULTI_FUNCTION) != 0,
        device ? image.u16(0x2c) : 0,
        device ? image.u16(0x2e) : 0,
        image.u8(0x3d),
        BaseAddress.read(image, BARS, bars(layout)),
        rom(image, layout));
  }

  private static int bars(int layout) {
    return switch (layout) {
      case 0 -> 6;
      case 1 -> 2;
      case 2 -> 1;
      default -> 0;
    };
  }

  private static Optional<ExpansionRom> rom(ConfigImage image, int layout) {
    if (layout > 1) {
      return Optional.empty();
    }
    int register = image.i32(layout == 0 ? 0x30 : 0x38);
    BarResource resource = image.resource(ROM_NUMBER);
    if (register == 0 && resource.size().orElse(0) == 0) {
      return Optional.empty();
    }
    return Optional.of(
        new ExpansionRom(
            Integer.toUnsignedLong(register & ROM_ADDRESS),
            (register & ROM_ENABLED) != 0,
            resource.size()));
  }

  /**
   * Returns whether the device answers at its ports.
   *
   * @return a bit of the command register
   */
  public boolean ioEnabled() {
    return (command & 0x1) != 0;
  }

  /**
   * Returns whether the device answers at its memory.
   *
   * @return a bit of the command register; always off of a virtual function, which answers
   *     nevertheless
   */
  public boolean memoryEnabled() {
    return (command & 0x2) != 0;
  }

  /**
   * Returns whether the device may start DMA and message-signalled interrupts.
   *
   * @return a bit of the command register
   */
  public boolean busMaster() {
    return (command & 0x4) != 0;
  }

  /**
   * Returns whether the device may not raise its line interrupt.
   *
   * @return a bit of the command register
   */
  public boolean intxDisabled() {
    return (command & 0x400) != 0;
  }
}
