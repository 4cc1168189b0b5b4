package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * A mediated device: a share of a parent device, or a device made of software, that a kernel driver
 * offers through VFIO.
 *
 * @param uuid its name
 * @param path its own directory in sysfs, all links resolved
 * @param parent the name of the device it is a share of
 * @param type the name of its type, such as {@code mtty-2}
 * @param driver the driver it is bound to, if any
 * @param iommuGroup the number of its IOMMU group, if it has one
 * @param cdev its node under {@code /dev/vfio/devices}, if it has one
 */
public record MediatedDevice(
    UUID uuid,
    Path path,
    String parent,
    String type,
    Optional<String> driver,
    OptionalInt iommuGroup,
    Optional<DeviceNode> cdev)
    implements HostDevice {

  static MediatedDevice read(Sysfs sysfs, UUID uuid) throws VfioException {
    Directory device = sysfs.deviceDirectory("mdev", uuid.toString());
    MediatedDevice snapshot =
        new MediatedDevice(
            uuid,
            device.path(),
            String.valueOf(device.path().resolveSibling("").getFileName()),
            device.link("mdev_type").orElse("unknown"),
            device.link("driver"),
            device.linkedNumber("iommu_group"),
            sysfs.cdev(device));
    device.checkStillThere();
    return snapshot;
  }

  @Override
  public String name() {
    return uuid.toString();
  }

  /** {@return true: every mediated device is made to be handed to user programs} */
  @Override
  public boolean hasVfioDriver() {
    return driver.isPresent();
  }
}
