package io.github.vfio4j.kerneltests.selftests;

import io.github.vfio4j.PciAddress;
import java.util.List;

/**
 * What a case of the kernel's is run with.
 *
 * @param name what the kernel's program calls it; empty where a case has only one
 * @param devices the devices that the program was given
 */
record Variant(String name, List<PciAddress> devices) {
  IommuMode mode() {
    return IommuMode.of(name);
  }

  /** What follows the mode in the name. */
  String rest() {
    String mode = mode().text();
    return name.startsWith(mode + "_") ? name.substring(mode.length() + 1) : name;
  }

  PciAddress device() {
    return devices.getFirst();
  }
}
