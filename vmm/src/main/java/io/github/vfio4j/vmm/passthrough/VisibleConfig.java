package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.config.PciCapability;
import io.github.vfio4j.config.PciExpressCapability;
import io.github.vfio4j.config.PowerManagementCapability;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What of a device's configuration space a guest is not to see as it is, whose bus has no bridges
 * and whose host goes on using the device's place on the real one.
 */
final class VisibleConfig {
  private static final int HEADER_TYPE = 0x0e;
  private static final int MULTI_FUNCTION = 0x80;
  private static final int FIRST_CAPABILITY = 0x34;
  private static final int INTERRUPT_LINE = 0x3c;
  private static final int STATUS = 0x06;
  private static final int HAS_CAPABILITIES = 0x10;
  private static final int EXTENDED = 0x100;

  private static final int PCI_X = 0x07;
  private static final int HYPERTRANSPORT = 0x08;
  private static final int ENHANCED_ALLOCATION = 0x14;

  /** Capabilities of a bus, or of addresses that the guest cannot choose. */
  private static final Set<Integer> HIDDEN = Set.of(PCI_X, HYPERTRANSPORT, ENHANCED_ALLOCATION);

  private static final int SERIAL_NUMBER = 0x03;
  private static final int VENDOR_SPECIFIC = 0x0b;
  private static final int DESIGNATED_VENDOR_SPECIFIC = 0x23;

  /**
   * The others are about links, bridges and IOMMUs that the guest has not, or are the host's to
   * use: virtual functions and the sizes of BARs.
   */
  private static final Set<Integer> SHOWN_EXTENDED =
      Set.of(SERIAL_NUMBER, VENDOR_SPECIFIC, DESIGNATED_VENDOR_SPECIFIC);

  /** An identity that means nothing, for the place of the first one, which cannot be left out. */
  private static final int NO_CAPABILITY = 0xffff;

  /** What a header has besides the place of the next one: number and version. */
  private static final int IDENTITY = 0xfffff;

  private static final int EXPRESS_FLAGS = 2;
  private static final int PORT_TYPE = 0xf0;
  private static final int LINK = 0x0c;
  private static final int LINK_2 = 0x2c;

  private static final int POWER_CONTROL = 4;
  private static final int POWER_STATE = 3;
  private static final int KEEPS_REGISTERS = 1 << 3;

  private VisibleConfig() {}

  static void apply(ConfigOverlay overlay, ConfigImage image) throws VfioException {
    overlay.fix(HEADER_TYPE, Byte.BYTES, MULTI_FUNCTION, 0);
    overlay.keep(INTERRUPT_LINE, Byte.BYTES, 0xff, 0, 0xff);
    List<PciCapability> all = image.capabilities();
    chain(overlay, shown(all, each -> !each.isExtended() && !HIDDEN.contains(each.id())));
    chainExtended(
        overlay, shown(all, each -> each.isExtended() && SHOWN_EXTENDED.contains(each.id())), all);
    for (PciCapability each : all) {
      switch (each) {
        case PciExpressCapability express -> asPartOfTheRoot(overlay, express);
        case PowerManagementCapability power -> {
          // the device stays on: a sleeping one's memory would be taken out of the guest
          int at = power.offset() + POWER_CONTROL;
          overlay.keep(at, Byte.BYTES, POWER_STATE, 0, POWER_STATE);
          overlay.fix(at, Byte.BYTES, KEEPS_REGISTERS, KEEPS_REGISTERS);
        }
        default -> {}
      }
    }
  }

  private static List<PciCapability> shown(List<PciCapability> all, Predicate<PciCapability> such) {
    return all.stream().filter(such).toList();
  }

  private static void chain(ConfigOverlay overlay, List<PciCapability> shown) {
    int pointer = FIRST_CAPABILITY;
    for (PciCapability each : shown) {
      overlay.fix(pointer, Byte.BYTES, 0xff, each.offset());
      pointer = each.offset() + 1;
    }
    overlay.fix(pointer, Byte.BYTES, 0xff, 0);
    overlay.fix(STATUS, Byte.BYTES, HAS_CAPABILITIES, shown.isEmpty() ? 0 : HAS_CAPABILITIES);
  }

  private static void chainExtended(
      ConfigOverlay overlay, List<PciCapability> shown, List<PciCapability> all)
      throws VfioException {
    if (all.stream().noneMatch(PciCapability::isExtended)) {
      return;
    }
    int at = EXTENDED;
    int identity = shown.isEmpty() ? 0 : NO_CAPABILITY;
    for (PciCapability each : shown) {
      if (each.offset() != EXTENDED) {
        overlay.fix(at, Integer.BYTES, -1, identity | each.offset() << 20);
      }
      at = each.offset();
      identity = overlay.readDevice(at, Integer.BYTES) & IDENTITY;
    }
    overlay.fix(at, Integer.BYTES, -1, identity);
  }

  /** An endpoint has a link to a bridge; one that is part of the root complex has none. */
  private static void asPartOfTheRoot(ConfigOverlay overlay, PciExpressCapability express) {
    if (express.portType() == PciExpressCapability.ENDPOINT) {
      int type = PciExpressCapability.ROOT_COMPLEX_ENDPOINT << 4;
      overlay.fix(express.offset() + EXPRESS_FLAGS, Short.BYTES, PORT_TYPE, type);
      overlay.fix(express.offset() + LINK, Integer.BYTES, -1, 0);
      overlay.fix(express.offset() + LINK + Integer.BYTES, Integer.BYTES, -1, 0);
      if (express.version() > 1) {
        overlay.fix(express.offset() + LINK_2, Integer.BYTES, -1, 0);
        overlay.fix(express.offset() + LINK_2 + Integer.BYTES, Integer.BYTES, -1, 0);
      }
    }
  }
}
