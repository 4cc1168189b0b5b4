package io.github.vfio4j.iommufd;

/**
 * A device that is bound to an {@link Iommufd}: what page tables, virtual IOMMUs and virtual
 * devices are made for.
 *
 * <p>VFIO's is {@link CdevDevice}. Other subsystems of the kernel bind devices to an iommufd too;
 * whoever drives one of them implements this interface with the number that its binding gave.
 */
public interface BoundDevice {
  /**
   * Returns the kernel's number of the device.
   *
   * @return the object ID within its iommufd
   */
  int id();

  /**
   * Returns what the device is bound to.
   *
   * @return the iommufd
   */
  Iommufd iommufd();
}
