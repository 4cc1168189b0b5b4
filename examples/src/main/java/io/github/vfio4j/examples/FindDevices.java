package io.github.vfio4j.examples;

import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.util.List;

/**
 * Lists the PCI devices of one class, with what drives them: network adapters unless told
 * otherwise.
 *
 * <pre>{@code
 * lab/run -- java --enable-native-access=ALL-UNNAMED -cp 'examples/target/*' \
 *     io.github.vfio4j.examples.FindDevices
 * }</pre>
 */
final class FindDevices {
  private static final int NETWORK = 0x02;

  private FindDevices() {}

  public static void main(String[] arguments) throws IOException {
    int wanted = arguments.length == 0 ? NETWORK : Integer.parseInt(arguments[0], 16);
    for (PciDevice device : ofClass(Sysfs.host(), wanted)) {
      System.out.printf(
          "%s  %04x:%04x  %s%n",
          device.address(),
          device.vendorId(),
          device.deviceId(),
          device.driver().orElse("no driver"));
    }
  }

  static List<PciDevice> ofClass(Sysfs sysfs, int baseClass) throws IOException {
    return sysfs.pciDevices().stream()
        .filter(device -> device.classCode() >>> 16 == baseClass)
        .toList();
  }
}
