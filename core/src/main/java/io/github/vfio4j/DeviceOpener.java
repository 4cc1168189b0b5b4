package io.github.vfio4j;

import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * Finds and opens the devices of this host: what stands behind the {@code open} methods of {@link
 * VfioDevice}.
 *
 * <p>It is a service, since this package knows no backend: every backend depends on it. The library
 * provides the one implementation.
 */
public interface DeviceOpener {
  /**
   * Returns the opener of this host.
   *
   * @return the one that is installed
   */
  static DeviceOpener installed() {
    return Installed.OPENER;
  }

  /** Loads the service once. */
  final class Installed {
    private static final DeviceOpener OPENER =
        ServiceLoader.load(DeviceOpener.class, DeviceOpener.class.getClassLoader())
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("vfio4j-core is not installed whole"));

    private Installed() {}
  }

  /**
   * Finds a PCI device.
   *
   * @param address its address
   * @return the device as it is now
   * @throws NoSuchDeviceException if there is none
   * @throws VfioException if sysfs cannot be read
   */
  HostDevice find(PciAddress address) throws VfioException;

  /**
   * Finds a device by path.
   *
   * @param path its directory in sysfs, or its node in {@code /dev/vfio/devices}
   * @return the device as it is now
   * @throws NoSuchDeviceException if there is none
   * @throws VfioException if sysfs cannot be read
   */
  HostDevice find(Path path) throws VfioException;

  /**
   * Does what {@link VfioDevice#open(HostDevice)} says.
   *
   * @param device the device
   * @return the open device; the caller closes it
   * @throws VfioException if it cannot be opened
   */
  VfioDevice open(HostDevice device) throws VfioException;

  /**
   * Does what {@link VfioDevice#open(HostDevice, Backend)} says.
   *
   * @param device the device
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if it is {@link Backend#MODEL} and the device no model
   * @throws VfioException if it cannot be opened
   */
  VfioDevice open(HostDevice device, Backend backend) throws VfioException;

  /**
   * Does what {@link VfioDevice#open(HostDevice, IoAddressSpace)} says.
   *
   * @param device the device
   * @param space the IO address space
   * @return the open device; the caller or the owner of the address space closes it
   * @throws IllegalArgumentException if the address space is of another kind
   * @throws IllegalStateException if the address space is closed
   * @throws VfioException if it cannot be opened
   */
  VfioDevice open(HostDevice device, IoAddressSpace space) throws VfioException;

  /**
   * Does what {@link VfioDevice#bindAndOpen(PciAddress)} says.
   *
   * @param address its address
   * @return the open device; the caller closes it
   * @throws VfioException if it cannot be bound or opened
   */
  VfioDevice bindAndOpen(PciAddress address) throws VfioException;

  /**
   * Does what {@link VfioDevice#bindAndOpen(PciAddress, Backend)} says.
   *
   * @param address its address
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if it is {@link Backend#MODEL}
   * @throws VfioException if it cannot be bound or opened
   */
  VfioDevice bindAndOpen(PciAddress address, Backend backend) throws VfioException;

  /**
   * Does what {@link VfioDevice#bindAndOpen(PciAddress, IoAddressSpace)} says.
   *
   * @param address its address
   * @param space the IO address space
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if the address space is of another kind
   * @throws IllegalStateException if the address space is closed
   * @throws VfioException if it cannot be bound or opened
   */
  VfioDevice bindAndOpen(PciAddress address, IoAddressSpace space) throws VfioException;
}
