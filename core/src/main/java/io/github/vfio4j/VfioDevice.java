package io.github.vfio4j;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A device that this process drives.
 *
 * <p>It comes through its own node and iommufd ({@link io.github.vfio4j.iommufd.CdevDevice}),
 * through its group and a container ({@link io.github.vfio4j.container.GroupDevice}), or from a
 * device model written in Java; what all can do is here, and a driver needs no more.
 *
 * <p>The device owns its mapped regions and interrupts and, where it was opened without one, its IO
 * address space. Closing it ends them, after the device itself, which by then does no more DMA. All
 * methods may be called from any thread. After {@link #close} they throw {@link
 * IllegalStateException}.
 */
public interface VfioDevice extends AutoCloseable {
  /**
   * Opens a device with an IO address space of its own, through the newest interface that this
   * kernel has for it; {@link #choice} tells which.
   *
   * @param device the device, as found in {@link io.github.vfio4j.sysfs.Sysfs}
   * @return the open device; the caller closes it
   * @throws NoSuchDeviceException if it is gone
   * @throws DeviceNotBoundException if no VFIO driver is bound to it, or its group is not viable
   * @throws DeviceBusyException if somebody else has it open
   * @throws NotPermittedException if this user may not open it, interrupts are not isolated, or no
   *     IOMMU guards it
   * @throws VfioException if the kernel refuses otherwise; nothing is left open then
   */
  static VfioDevice open(HostDevice device) throws VfioException {
    return DeviceOpener.installed().open(device);
  }

  /**
   * Opens a device with an IO address space of its own, through a given interface.
   *
   * @param device the device, as found in sysfs
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if it is {@link Backend#MODEL} and the device no model
   * @throws UnsupportedByKernelException if this kernel does not have the interface
   * @throws VfioException as {@link #open(HostDevice)}
   */
  static VfioDevice open(HostDevice device, Backend backend) throws VfioException {
    return DeviceOpener.installed().open(device, backend);
  }

  /**
   * Opens a device on an IO address space that other devices may share.
   *
   * @param device the device, as found in sysfs
   * @param space the IO address space, which decides the interface: a {@link
   *     io.github.vfio4j.iommufd.Ioas} or a {@link io.github.vfio4j.container.Container}
   * @return the open device; the caller closes it, or the owner of the address space does
   * @throws IllegalArgumentException if the address space is of another kind
   * @throws IllegalStateException if the address space is closed
   * @throws VfioException as {@link #open(HostDevice)}
   */
  static VfioDevice open(HostDevice device, IoAddressSpace space) throws VfioException {
    return DeviceOpener.installed().open(device, space);
  }

  /**
   * Finds a PCI device, and opens it as {@link #open(HostDevice)} does.
   *
   * @param address the device's PCI address
   * @return the open device; the caller closes it
   * @throws NoSuchDeviceException if there is no such device
   * @throws VfioException as {@link #open(HostDevice)}
   */
  static VfioDevice open(PciAddress address) throws VfioException {
    return open(DeviceOpener.installed().find(address));
  }

  /**
   * Finds a PCI device, and opens it as {@link #open(HostDevice, Backend)} does.
   *
   * @param address the device's PCI address
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if it is {@link Backend#MODEL} and the device no model
   * @throws NoSuchDeviceException if there is no such device
   * @throws VfioException as {@link #open(HostDevice, Backend)}
   */
  static VfioDevice open(PciAddress address, Backend backend) throws VfioException {
    return open(DeviceOpener.installed().find(address), backend);
  }

  /**
   * Finds a PCI device, and opens it as {@link #open(HostDevice, IoAddressSpace)} does.
   *
   * @param address the device's PCI address
   * @param space the IO address space, which decides the interface
   * @return the open device; the caller closes it, or the owner of the address space does
   * @throws IllegalArgumentException if the address space is of another kind
   * @throws IllegalStateException if the address space is closed
   * @throws NoSuchDeviceException if there is no such device
   * @throws VfioException as {@link #open(HostDevice, IoAddressSpace)}
   */
  static VfioDevice open(PciAddress address, IoAddressSpace space) throws VfioException {
    return open(DeviceOpener.installed().find(address), space);
  }

  /**
   * Finds a device by path, and opens it as {@link #open(HostDevice)} does.
   *
   * @param path the device's directory in sysfs, which may be a mediated device's, or its node in
   *     {@code /dev/vfio/devices}
   * @return the open device; the caller closes it
   * @throws NoSuchDeviceException if there is no such device
   * @throws VfioException as {@link #open(HostDevice)}
   */
  static VfioDevice open(Path path) throws VfioException {
    return open(DeviceOpener.installed().find(path));
  }

  /**
   * Takes a PCI device from its driver, opens it as {@link #open(HostDevice)} does, and gives it
   * back when it is closed: {@link io.github.vfio4j.sysfs.DriverBinding} and opening in one.
   *
   * <p>It takes root, and refuses a device that the running system uses. If the device has a VFIO
   * driver already it keeps it, and needs no root. If it cannot be opened, it has its former driver
   * again.
   *
   * <p>{@link #close} closes the device, and then gives it back even if closing failed. If giving
   * it back fails, the device is closed all the same, and {@code close} may be called again to try
   * that once more. A device that is never closed stays bound when the process has ended; {@code
   * vfio4j unbind} gives such a one back.
   *
   * <p>What is returned has the methods of this interface alone. For those of one kernel interface,
   * bind by a {@code DriverBinding} and open its device.
   *
   * @param address the device's PCI address
   * @return the open device; the caller closes it
   * @throws NoSuchDeviceException if there is no such device
   * @throws UnsupportedByKernelException if {@code vfio-pci} is not loaded, or the device is a
   *     bridge
   * @throws DeviceBusyException if the running system uses the device, or somebody else has it open
   * @throws NotPermittedException if this user may not bind drivers or open the device
   * @throws VfioException if the kernel refuses to bind or to open it
   */
  static VfioDevice bindAndOpen(PciAddress address) throws VfioException {
    return DeviceOpener.installed().bindAndOpen(address);
  }

  /**
   * Takes a PCI device from its driver as {@link #bindAndOpen(PciAddress)} does, and opens it as
   * {@link #open(HostDevice, Backend)} does.
   *
   * @param address the device's PCI address
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws IllegalArgumentException if it is {@link Backend#MODEL}
   * @throws VfioException as {@link #bindAndOpen(PciAddress)}, or if this kernel does not have the
   *     interface
   */
  static VfioDevice bindAndOpen(PciAddress address, Backend backend) throws VfioException {
    return DeviceOpener.installed().bindAndOpen(address, backend);
  }

  /**
   * Takes a PCI device from its driver as {@link #bindAndOpen(PciAddress)} does, and opens it as
   * {@link #open(HostDevice, IoAddressSpace)} does.
   *
   * @param address the device's PCI address
   * @param space the IO address space, which decides the interface
   * @return the open device; the caller closes it, which gives it back, even where the owner of the
   *     address space has closed the device before
   * @throws IllegalArgumentException if the address space is of another kind
   * @throws IllegalStateException if the address space is closed
   * @throws VfioException as {@link #bindAndOpen(PciAddress)}
   */
  static VfioDevice bindAndOpen(PciAddress address, IoAddressSpace space) throws VfioException {
    return DeviceOpener.installed().bindAndOpen(address, space);
  }

  /**
   * Returns the device's name.
   *
   * @return the PCI address, or the UUID of a mediated device
   */
  String name();

  /**
   * Returns whether the device was closed.
   *
   * @return whether {@link #close} has begun
   */
  boolean isClosed();

  /**
   * Returns which interface the device was opened through, and why.
   *
   * @return the choice made at opening
   */
  BackendChoice choice();

  /**
   * Returns what the kernel says of the device.
   *
   * @return as read at opening
   */
  DeviceInfo info();

  /**
   * Returns the IO address space that the device does its DMA in.
   *
   * @return the address space
   * @throws IllegalStateException if the device is attached to none
   */
  IoAddressSpace addressSpace();

  /**
   * Returns a region; {@code VFIO_DEVICE_GET_REGION_INFO}, once per region.
   *
   * @param index the kernel's number; those of PCI are {@link PciFunction.RegionKind}s, for {@link
   *     PciFunction}
   * @return the region; one that the device does not have has size 0
   * @throws IndexOutOfBoundsException if the index is not below {@link DeviceInfo#regionCount}
   * @throws VfioException if the kernel refuses
   */
  Region region(int index) throws VfioException;

  /**
   * Looks for the region of a type, among those that a driver of the kernel has added to the ones
   * of its bus.
   *
   * @param type the kind of region, {@code VFIO_REGION_TYPE_}
   * @param subtype the region within that kind, {@code VFIO_REGION_SUBTYPE_}
   * @return the first region of that type, or empty where the device has none
   * @throws VfioException as {@link #region}
   */
  default Optional<Region> regionOfType(int type, int subtype) throws VfioException {
    RegionCapability.Type wanted = new RegionCapability.Type(type, subtype);
    for (int index = 0; index < info().regionCount(); index++) {
      Region region = region(index);
      if (region.info().type().filter(wanted::equals).isPresent()) {
        return Optional.of(region);
      }
    }
    return Optional.empty();
  }

  /**
   * Returns the interrupts of one index; {@code VFIO_DEVICE_GET_IRQ_INFO}, once per index.
   *
   * @param index the kernel's number; those of PCI are {@link PciFunction.IrqKind}s, for {@link
   *     PciFunction}
   * @return the interrupts; of a kind that the device does not have there are none
   * @throws IndexOutOfBoundsException if the index is not below {@link DeviceInfo#irqCount}
   * @throws VfioException if the kernel refuses
   */
  IrqIndex irq(int index) throws VfioException;

  /**
   * Returns what only a PCI device has: BARs by number, configuration space, MSI and MSI-X.
   *
   * @return a view of this device
   * @throws IllegalStateException if this is not a PCI device, as {@link DeviceInfo#pci} tells
   */
  default PciFunction pci() {
    if (!info().pci()) {
      throw new IllegalStateException(name() + " is not a PCI device");
    }
    return new PciFunction(this);
  }

  /**
   * Resets the device by itself; {@code VFIO_DEVICE_RESET}.
   *
   * <p>The device's registers are as after power-on. The kernel restores the configuration space:
   * what was allowed by {@link ConfigSpace#setBusMaster} stays so, and enabled interrupts stay
   * enabled.
   *
   * <p>Accesses to the device's registers, by whatever way, wait for its end.
   *
   * @throws UnsupportedByKernelException if the kernel says that the device has no reset of its own
   * @throws VfioException if the kernel refuses, also while it is taking the device away
   */
  void reset() throws VfioException;

  /**
   * Closes the device: its mappings first, since they keep it busy, then the device, which stops
   * its DMA and interrupts, then what was opened for it alone. Later calls close mappings that the
   * kernel refused to close, and do nothing else; a call while another thread is closing waits for
   * it.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  void close() throws VfioException;
}
