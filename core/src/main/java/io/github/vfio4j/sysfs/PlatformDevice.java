package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A device that is on no bus which could be asked for it: the firmware's tables tell of it. Its
 * regions and interrupts have the order that they have there, and mean what its manual says.
 *
 * <p>Binding one is not done here: {@code vfio-platform} takes it by its {@code driver_override}.
 *
 * @param name the kernel's name for it, such as {@code LNRO0005:00} or {@code a003e00.virtio_mmio}
 * @param path its own directory in sysfs, all links resolved
 * @param driver the driver it is bound to, if any
 * @param iommuGroup the number of its IOMMU group, if it has one
 * @param cdev its node under {@code /dev/vfio/devices}, if it has one
 */
public record PlatformDevice(
    String name,
    Path path,
    Optional<String> driver,
    OptionalInt iommuGroup,
    Optional<DeviceNode> cdev)
    implements HostDevice {
  static final String BUS = "platform";

  static PlatformDevice read(Sysfs sysfs, String name) throws VfioException {
    Directory device = sysfs.deviceDirectory(BUS, name);
    PlatformDevice snapshot =
        new PlatformDevice(
            name,
            device.path(),
            device.link("driver"),
            device.linkedNumber("iommu_group"),
            sysfs.cdev(device));
    device.checkStillThere();
    return snapshot;
  }

  /**
   * {@return whether its driver hands it to user programs: one whose name says so, or any that has
   * made a VFIO device of it}
   */
  @Override
  public boolean hasVfioDriver() {
    return VfioDrivers.handsOut(driver, cdev.isPresent());
  }
}
