package io.github.vfio4j;

/** One of the two ways in which Linux gives user space a device. */
public enum Backend {
  /** The device's own node and an IO address space of {@code /dev/iommu}; since Linux 6.6. */
  IOMMUFD("cdev+iommufd"),

  /** The device's group and a container of {@code /dev/vfio/vfio}; since Linux 3.6. */
  CONTAINER("container/group");

  private final String title;

  Backend(String title) {
    this.title = title;
  }

  /**
   * Returns how people call it.
   *
   * @return {@code cdev+iommufd} or {@code container/group}
   */
  @Override
  public String toString() {
    return title;
  }
}
