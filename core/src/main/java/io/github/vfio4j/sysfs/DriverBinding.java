package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.Optional;

/**
 * A PCI device taken from its driver and bound to {@code vfio-pci}, until this is closed.
 *
 * <p>It is bound by {@code driver_override}, which names one device; writing {@code new_id} would
 * capture all of its kind. Closing gives the device back to the driver that it had. A binding that
 * is never closed outlives the process; {@link #unbind} undoes such a one.
 *
 * <p>Binding takes root. Instances are safe for use by many threads.
 */
public final class DriverBinding implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Sysfs sysfs;
  private final PciDevice former;
  private PciDevice device;
  private boolean restored;

  private DriverBinding(Sysfs sysfs, PciDevice former) {
    this.sysfs = sysfs;
    this.former = former;
    this.device = former;
  }

  /**
   * Binds a device to {@code vfio-pci} and waits up to five seconds for its node.
   *
   * @param sysfs the host
   * @param address the device
   * @return the binding; one that changes nothing if the device has a VFIO driver already
   * @throws VfioException as {@link #bind(Sysfs, PciAddress, Duration)} does
   */
  public static DriverBinding bind(Sysfs sysfs, PciAddress address) throws VfioException {
    return bind(sysfs, address, PATIENCE);
  }

  /**
   * Binds a device to {@code vfio-pci} and waits until every node that the kernel announces for it
   * is under {@code /dev/vfio} with the right number. If any step fails, the device gets its former
   * driver back.
   *
   * @param sysfs the host
   * @param address the device
   * @param patience how long to wait for the nodes
   * @return the binding; one that changes nothing if the device has a VFIO driver already
   * @throws NoSuchDeviceException if there is no such device
   * @throws UnsupportedByKernelException if {@code vfio-pci} is not loaded, or the device is a
   *     bridge
   * @throws io.github.vfio4j.NotPermittedException if this user may not bind drivers
   * @throws VfioException if the kernel refuses, or the nodes do not appear in time
   */
  public static DriverBinding bind(Sysfs sysfs, PciAddress address, Duration patience)
      throws VfioException {
    PciDevice former = sysfs.device(address);
    DriverBinding binding = new DriverBinding(sysfs, former);
    try {
      if (!former.hasVfioDriver()) {
        binding.take();
      }
      binding.device = NodeWait.await(sysfs, address, patience);
      return binding;
    } catch (VfioException failure) {
      try {
        binding.restore();
      } catch (VfioException e) {
        failure.addSuppressed(e);
      }
      throw failure;
    }
  }

  private void take() throws VfioException {
    if (former.isBridge()) {
      throw new UnsupportedByKernelException(
          "bind", former.name(), null, "it is a bridge; bind the devices behind it instead");
    }
    DriverControl control = new DriverControl(sysfs, former);
    if (!control.isLoaded(VfioDrivers.VFIO_PCI)) {
      throw new UnsupportedByKernelException(
          "bind", former.name(), null, "the vfio-pci driver is not loaded: run modprobe vfio-pci");
    }
    control.override(Optional.of(VfioDrivers.VFIO_PCI));
    if (former.driver().isPresent()) {
      control.unbind(former.driver().get());
    }
    control.bind(VfioDrivers.VFIO_PCI);
  }

  /** {@return the device as it was when it had been bound} */
  public synchronized PciDevice device() {
    return device;
  }

  /** {@return the driver that the device gets back, if it had one} */
  public Optional<String> formerDriver() {
    return former.driver();
  }

  /**
   * Gives the device back to its former driver, and puts back the former {@code driver_override}.
   * Does nothing the second time, or when the device has gone; a driver that somebody else has
   * bound meanwhile stays.
   *
   * @throws DeviceBusyException if a process still has the device open; nothing has changed then
   * @throws VfioException if the kernel refuses
   */
  public synchronized void restore() throws VfioException {
    if (restored || former.hasVfioDriver()) {
      return;
    }
    PciDevice now;
    try {
      now = sysfs.device(former.address());
    } catch (NoSuchDeviceException e) {
      restored = true;
      return;
    }
    DriverControl control = new DriverControl(sysfs, now);
    if (now.hasVfioDriver()) {
      control.checkNotOpen();
    }
    if (now.driverOverride().equals(Optional.of(VfioDrivers.VFIO_PCI))
        && !now.driverOverride().equals(former.driverOverride())) {
      control.override(former.driverOverride());
    }
    if (now.hasVfioDriver()) {
      control.unbind(now.driver().orElseThrow());
    }
    if (former.driver().isPresent() && (now.hasVfioDriver() || now.driver().isEmpty())) {
      control.bind(former.driver().get());
    }
    restored = true;
  }

  /**
   * Does what {@link #restore} does.
   *
   * @throws VfioException as {@link #restore} does
   */
  @Override
  public void close() throws VfioException {
    restore();
  }

  /**
   * Takes a device from its VFIO driver and lets the kernel find the driver it would have had at
   * boot. This is for a binding made by another process, whose former driver nobody knows any more.
   *
   * @param sysfs the host
   * @param address the device
   * @return the device as it is now, with a driver if the kernel has one for it
   * @throws NoSuchDeviceException if there is no such device
   * @throws DeviceNotBoundException if it has a driver that is no VFIO driver
   * @throws DeviceBusyException if a process still has the device open; nothing has changed then
   * @throws io.github.vfio4j.NotPermittedException if this user may not bind drivers
   * @throws VfioException if the kernel refuses
   */
  public static PciDevice unbind(Sysfs sysfs, PciAddress address) throws VfioException {
    PciDevice device = sysfs.device(address);
    DriverControl control = new DriverControl(sysfs, device);
    if (device.driver().isPresent() && !device.hasVfioDriver()) {
      throw new DeviceNotBoundException(
          "unbind",
          device.name(),
          null,
          "its driver is " + device.driver().get() + ", which is no VFIO driver");
    }
    if (device.hasVfioDriver()) {
      control.checkNotOpen();
    }
    control.override(Optional.empty());
    if (device.driver().isPresent()) {
      control.unbind(device.driver().get());
    }
    control.probe();
    return sysfs.device(address);
  }
}
