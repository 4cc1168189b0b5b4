package io.github.vfio4j.sysfs;

import java.util.Optional;

/**
 * What decides who drives a PCI device.
 *
 * @param driver the driver that it is bound to, if any
 * @param override the one driver that may bind it, if that is set
 */
record DriverState(Optional<String> driver, Optional<String> override) {

  /** What the override has to be so that the driver can be bound again. */
  Optional<String> overrideForBinding() {
    boolean byOverride =
        driver.isPresent() && (override.isPresent() || VfioDrivers.includes(driver.get()));
    return byOverride ? driver : override;
  }
}
