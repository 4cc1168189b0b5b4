package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A PCI function of the host, as sysfs showed it.
 *
 * @param address where it sits
 * @param path its own directory in sysfs, all links resolved
 * @param vendorId its vendor, 16 bits
 * @param deviceId which of the vendor's devices it is, 16 bits
 * @param subsystemVendorId the maker of the card, 16 bits
 * @param subsystemId which of the maker's cards it is, 16 bits
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param revision the device's revision, 8 bits
 * @param driver the driver it is bound to, if any
 * @param iommuGroup the number of its IOMMU group; empty where no IOMMU guards it
 * @param cdev its node under {@code /dev/vfio/devices}, if it has one
 * @param resetMethods how the kernel can reset it, best first: {@code flr}, {@code pm}, {@code bus}
 *     and others; none when it cannot, and on kernels before 5.15
 * @param numaNode the memory node it is nearest to, where the machine has several
 */
public record PciDevice(
    PciAddress address,
    Path path,
    int vendorId,
    int deviceId,
    int subsystemVendorId,
    int subsystemId,
    int classCode,
    int revision,
    Optional<String> driver,
    OptionalInt iommuGroup,
    Optional<DeviceNode> cdev,
    List<String> resetMethods,
    OptionalInt numaNode)
    implements HostDevice {

  private static final int PCI_TO_PCI_BRIDGE = 0x0604;
  private static final int CARDBUS_BRIDGE = 0x0607;
  private static final int SEMI_TRANSPARENT_BRIDGE = 0x0609;

  /** Copies the list. */
  public PciDevice {
    resetMethods = List.copyOf(resetMethods);
  }

  static PciDevice read(Sysfs sysfs, PciAddress address) throws VfioException {
    Directory device = sysfs.deviceDirectory("pci", address.toString());
    PciDevice snapshot =
        new PciDevice(
            address,
            device.path(),
            device.hex("vendor"),
            device.hex("device"),
            device.hex("subsystem_vendor"),
            device.hex("subsystem_device"),
            device.hex("class"),
            device.hex("revision"),
            device.link("driver"),
            device.linkedNumber("iommu_group"),
            sysfs.cdev(device),
            device.words("reset_method"),
            device.number("numa_node"));
    device.checkStillThere();
    return snapshot;
  }

  @Override
  public String name() {
    return address.toString();
  }

  /**
   * {@return whether its driver hands it to user programs: one whose name says so, or any that has
   * made a VFIO device of it}
   */
  @Override
  public boolean hasVfioDriver() {
    return VfioDrivers.handsOut(driver, cdev.isPresent());
  }

  /** {@return whether it leads to another bus; VFIO takes the devices behind, never the bridge} */
  public boolean isBridge() {
    int kind = classCode >>> 8;
    return kind == PCI_TO_PCI_BRIDGE || kind == CARDBUS_BRIDGE || kind == SEMI_TRANSPARENT_BRIDGE;
  }
}
