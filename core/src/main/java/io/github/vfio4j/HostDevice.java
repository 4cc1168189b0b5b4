package io.github.vfio4j;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * A device of the host that VFIO can hand to a user program, as sysfs showed it: a {@link
 * io.github.vfio4j.sysfs.PciDevice}, a {@link io.github.vfio4j.sysfs.MediatedDevice} or a {@link
 * io.github.vfio4j.sysfs.PlatformDevice}.
 */
public interface HostDevice {

  /** {@return the kernel's name for it: a PCI address, a UUID, or a platform device's name} */
  String name();

  /** {@return its own directory in sysfs, all links resolved} */
  Path path();

  /** {@return the driver it is bound to, if any} */
  Optional<String> driver();

  /** {@return the number of its IOMMU group; empty where no IOMMU guards it} */
  OptionalInt iommuGroup();

  /**
   * Returns its node under {@code /dev/vfio/devices}.
   *
   * @return the node; empty while it is not bound to a VFIO driver, and on kernels without VFIO
   *     device nodes
   */
  Optional<DeviceNode> cdev();

  /**
   * Returns the token that it is to be opened with.
   *
   * @return the token that the users of an SR-IOV device's functions share; empty for none
   */
  default Optional<UUID> vfToken() {
    return Optional.empty();
  }

  /** {@return whether its driver is one that hands it to user programs} */
  boolean hasVfioDriver();
}
