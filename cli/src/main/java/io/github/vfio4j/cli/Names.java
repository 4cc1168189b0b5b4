package io.github.vfio4j.cli;

/** What VFIO's PCI driver calls its regions and interrupts, by index. */
final class Names {

  private static final int BARS = 6;
  private static final int ROM = 6;
  private static final int CONFIG = 7;
  private static final int VGA = 8;

  private Names() {}

  static String region(boolean pci, int index) {
    if (!pci) {
      return "region " + index;
    }
    return switch (index) {
      case ROM -> "ROM";
      case CONFIG -> "config";
      case VGA -> "VGA";
      default -> index < BARS ? "BAR " + index : "region " + index;
    };
  }

  static String interrupt(boolean pci, int index) {
    if (!pci) {
      return "interrupt " + index;
    }
    return switch (index) {
      case 0 -> "INTx";
      case 1 -> "MSI";
      case 2 -> "MSI-X";
      case 3 -> "error";
      case 4 -> "request";
      default -> "interrupt " + index;
    };
  }
}
