package io.github.vfio4j.examples;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.PciFunction.RegionKind;
import io.github.vfio4j.VfioDevice;
import java.io.IOException;

/**
 * Takes the PCI device that is named from its driver, as root, prints its regions, and gives it
 * back.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.BindForAWhile 0000:00:05.0
 * }</pre>
 *
 * <p>The disk or the network that this machine is using is refused.
 */
final class BindForAWhile {
  private BindForAWhile() {}

  public static void main(String[] arguments) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(PciAddress.of(arguments[0]))) {
      System.out.print(regions(device));
    }
  }

  static String regions(VfioDevice device) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (RegionKind region : RegionKind.values()) {
      long size = device.pci().region(region).size();
      if (size > 0) {
        lines.append("%s: %d bytes%n".formatted(region, size));
      }
    }
    return lines.toString();
  }
}
