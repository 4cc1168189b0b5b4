package io.github.vfio4j.iommufd;

/**
 * What a device can be attached to: an {@link Ioas}, for which the kernel finds or makes a hardware
 * page table by itself, or a hardware page table made by hand ({@link Hwpt}).
 */
public sealed interface PageTable permits Ioas, Hwpt {
  /**
   * Returns the kernel's number of this object.
   *
   * @return the object ID within its iommufd
   */
  int id();

  /**
   * Returns the file that this object belongs to.
   *
   * @return the owner
   */
  Iommufd iommufd();
}
