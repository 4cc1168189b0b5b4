package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The single steps of giving a PCI device to a driver and taking it away. */
final class DriverControl {

  private final Sysfs sysfs;
  private final PciDevice device;
  private final DeviceHolder holder;
  private final BoundedWrites writes;

  DriverControl(Sysfs sysfs, PciDevice device) throws VfioException {
    this.sysfs = sysfs;
    this.device = device;
    this.holder = DeviceHolder.of(sysfs, device);
    this.writes = BoundedWrites.of(sysfs, device, holder);
  }

  private Path directory(String driver) {
    return sysfs.driverDirectory(driver);
  }

  /** What putting back brings back, as it is now. */
  DriverState state() throws VfioException {
    return new DriverState(device.driver(), sysfs.driverOverride(device));
  }

  void override(Optional<String> driver) throws VfioException {
    if (!sysfs.driverOverride(device).equals(driver)) {
      Path attribute = device.path().resolve("driver_override");
      writes.write("set driver_override", attribute, driver.orElse("") + "\n", sysfs.patience());
    }
  }

  /** Only a VFIO driver waits for who has the device open; others take the time that they need. */
  void unbind(String driver) throws VfioException {
    Path attribute = directory(driver).resolve("unbind");
    boolean waits = device.hasVfioDriver();
    writes.write(
        "unbind " + driver,
        attribute,
        device.name(),
        waits ? sysfs.patience() : sysfs.patienceWithDrivers());
  }

  /** By the driver's own file: drivers_probe keeps to itself why a driver refused. */
  void bind(String driver) throws VfioException {
    if (!sysfs.isLoaded(driver)) {
      throw refused(driver, null, "the driver is not loaded: run modprobe " + driver);
    }
    String operation = "bind " + driver;
    Path attribute = directory(driver).resolve("bind");
    Optional<Errno> refusal =
        writes.refusal(operation, attribute, device.name(), sysfs.patienceWithDrivers());
    if (refusal.isPresent()) {
      VfioException failure = writes.failure(operation, refusal.get());
      if (!(failure instanceof NotPermittedException || failure instanceof DeviceBusyException)) {
        sysfs.device(device.address());
        failure = refused(driver, refusal.get(), reason(driver));
      }
      throw failure;
    }
    if (!sysfs.device(device.address()).driver().equals(Optional.of(driver))) {
      throw refused(driver, null, reason(driver));
    }
  }

  private VfioException refused(String driver, @Nullable Errno errno, String why) {
    return new VfioException("bind " + driver, device.name(), errno, why);
  }

  private String reason(String driver) {
    return VfioDrivers.includes(driver) && device.iommuGroup().isEmpty()
        ? "the device is in no IOMMU group: turn the IOMMU on, in the firmware and in the kernel"
        : "the driver refused the device; the kernel's log (dmesg) may say why";
  }

  /** Lets the kernel choose a driver. */
  void probe() throws VfioException {
    Path attribute = sysfs.bus("pci").resolve("drivers_probe");
    writes.write("probe drivers", attribute, device.name(), sysfs.patienceWithDrivers());
  }

  /**
   * Brings back the driver and the override that there were. A device that has gone needs neither.
   * While the kernel is still at one of the steps there is nothing to bring back, and no way to.
   */
  void putBack(DriverState former) throws VfioException {
    if (writes.isUnfinished()) {
      return;
    }
    try {
      new DriverControl(sysfs, sysfs.device(device.address())).bring(former);
    } catch (NoSuchDeviceException e) {
      // it has neither any more
    }
  }

  private void bring(DriverState former) throws VfioException {
    if (!device.driver().equals(former.driver())) {
      checkNotOpen("unbind");
      override(former.overrideForBinding());
      if (device.driver().isPresent()) {
        unbind(device.driver().get());
      }
      if (former.driver().isPresent()) {
        bind(former.driver().get());
      }
    }
    override(former.override());
  }

  /**
   * Refuses if a process has the device open, or a virtual function of it, which would end: the
   * kernel would wait for it without end. A device that is enabled under a VFIO driver is open; so
   * may be one without a driver, from which a VFIO driver is just being taken.
   */
  void checkNotOpen(String operation) throws VfioException {
    checkFunctionsNotOpen(operation);
    Directory directory = new Directory(device.path(), device.name());
    boolean enabled = directory.number("enable").orElse(0) > 0;
    if (enabled && (device.hasVfioDriver() || device.driver().isEmpty())) {
      Optional<String> found = holder.find();
      if (found.isPresent()) {
        throw new DeviceBusyException(operation, device.name(), null, found.get() + " has it open");
      }
    }
  }

  /** Refuses if a process has a virtual function of the device open. */
  void checkFunctionsNotOpen(String operation) throws VfioException {
    for (PciDevice function : sysfs.virtualFunctions(device)) {
      if (sysfs.isOpen(function)) {
        Optional<String> found = DeviceHolder.of(sysfs, function).find();
        if (found.isPresent()) {
          throw new DeviceBusyException(
              operation,
              device.name(),
              null,
              "%s has its virtual function %s open".formatted(found.get(), function.name()));
        }
      }
    }
  }
}
