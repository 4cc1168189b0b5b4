package io.github.vfio4j.sysfs;

import java.util.Optional;
import java.util.Set;

/** The kernel's drivers that hand a device to user space. */
final class VfioDrivers {

  static final String VFIO_PCI = "vfio-pci";

  private static final Set<String> OF_OTHER_BUSES =
      Set.of("vfio-platform", "vfio-amba", "vfio-fsl-mc", "vfio-cdx", "vfio_mdev");

  private VfioDrivers() {}

  /**
   * Returns whether a device is handed to user space: by a driver whose name says so, or by any
   * that has made a VFIO device of it.
   */
  static boolean handsOut(Optional<String> driver, boolean madeVfioDevice) {
    return driver.isPresent() && (madeVfioDevice || includes(driver.get()));
  }

  /** Returns whether a driver is one of them; those for one vendor's devices end like vfio-pci. */
  static boolean includes(String driver) {
    return driver.endsWith("vfio-pci")
        || driver.endsWith("vfio_pci")
        || OF_OTHER_BUSES.contains(driver);
  }
}
