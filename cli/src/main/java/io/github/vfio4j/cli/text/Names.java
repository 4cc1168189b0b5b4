package io.github.vfio4j.cli.text;

import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.PciFunction.RegionKind;
import java.util.Optional;

/** What the command calls regions and interrupts: the index, or a name where it is a PCI device. */
public final class Names {

  private Names() {}

  public static String region(boolean pci, int index) {
    Optional<RegionKind> region = pci ? RegionKind.of(index) : Optional.empty();
    return region.map(Names::name).orElse("region " + index);
  }

  private static String name(RegionKind region) {
    return switch (region) {
      case BAR0, BAR1, BAR2, BAR3, BAR4, BAR5 -> "BAR " + region.index();
      case ROM -> "ROM";
      case CONFIG -> "config";
      case VGA -> "VGA";
    };
  }

  public static String interrupt(boolean pci, int index) {
    Optional<IrqKind> kind = pci ? IrqKind.of(index) : Optional.empty();
    return kind.map(Names::name).orElse("interrupt " + index);
  }

  private static String name(IrqKind kind) {
    return switch (kind) {
      case INTX -> "INTx";
      case MSI -> "MSI";
      case MSIX -> "MSI-X";
      case ERR -> "error";
      case REQ -> "request";
    };
  }
}
