package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The single steps of giving a PCI device to a driver and taking it away. */
final class DriverControl {

  private final Sysfs sysfs;
  private final PciDevice device;

  DriverControl(Sysfs sysfs, PciDevice device) {
    this.sysfs = sysfs;
    this.device = device;
  }

  boolean isLoaded(String driver) {
    return Files.isDirectory(directory(driver));
  }

  private Path directory(String driver) {
    return sysfs.bus("pci").resolve("drivers").resolve(driver);
  }

  void override(Optional<String> driver) throws VfioException {
    Path attribute = device.path().resolve("driver_override");
    sysfs.write(attribute, driver.orElse("") + "\n", "set driver_override", device.name());
  }

  void unbind(String driver) throws VfioException {
    Path attribute = directory(driver).resolve("unbind");
    sysfs.write(attribute, device.name(), "unbind " + driver, device.name());
  }

  /** By the driver's own file: drivers_probe keeps to itself why a driver refused. */
  void bind(String driver) throws VfioException {
    if (!isLoaded(driver)) {
      throw refused(driver, null, "the driver is not loaded: run modprobe " + driver);
    }
    try {
      sysfs.files().write(directory(driver).resolve("bind"), device.name());
    } catch (IOException e) {
      VfioException failure = FileFailure.of("bind " + driver, device.name(), e);
      if (!(failure instanceof NotPermittedException || failure instanceof DeviceBusyException)) {
        sysfs.device(device.address());
        failure = refused(driver, FileFailure.errno(e), reason(driver));
        failure.initCause(e);
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
    return driver.equals(VfioDrivers.VFIO_PCI) && device.iommuGroup().isEmpty()
        ? "the device is in no IOMMU group: turn the IOMMU on, in the firmware and in the kernel"
        : "the driver refused the device; the kernel's log (dmesg) may say why";
  }

  /** Lets the kernel choose a driver. */
  void probe() throws VfioException {
    Path attribute = sysfs.bus("pci").resolve("drivers_probe");
    sysfs.write(attribute, device.name(), "probe drivers", device.name());
  }

  /**
   * Refuses if a process has the device open, as the kernel would wait for it without end. A device
   * that is enabled under a VFIO driver is open; the process is the one that holds its node.
   */
  void checkNotOpen() throws VfioException {
    Directory directory = new Directory(device.path(), device.name());
    if (directory.number("enable").orElse(0) == 0) {
      return;
    }
    List<Path> nodes = new ArrayList<>();
    device.cdev().ifPresent(node -> nodes.add(node.path()));
    if (device.iommuGroup().isPresent()) {
      IommuGroup group = sysfs.group(device.iommuGroup().getAsInt());
      group.node().ifPresent(node -> nodes.add(node.path()));
    }
    Optional<String> holder = NodeHolder.find(sysfs.root(), nodes);
    if (holder.isPresent()) {
      throw new DeviceBusyException("unbind", device.name(), null, holder.get() + " has it open");
    }
  }
}
