package io.github.vfio4j.cli.text;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;

/** What people call a device. */
public final class Title {

  private Title() {}

  public static String of(HostDevice device, PciIds ids) {
    return switch (device) {
      case PciDevice pci -> of(pci, ids);
      case MediatedDevice mediated -> mediated.type() + " of " + mediated.parent();
      default -> device.name();
    };
  }

  /** Vendor and device; where the device has no name, its class. Always with the numbers. */
  private static String of(PciDevice pci, PciIds ids) {
    String vendor = ids.vendor(pci.vendorId()).map(name -> name + " ").orElse("");
    String device =
        ids.device(pci.vendorId(), pci.deviceId())
            .or(() -> ids.type(pci.classCode()))
            .orElse("device");
    return "%s%s [%04x:%04x]".formatted(vendor, device, pci.vendorId(), pci.deviceId());
  }
}
