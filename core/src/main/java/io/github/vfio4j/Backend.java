package io.github.vfio4j;

/** One of the ways in which user space comes to a device. */
public enum Backend {
  /** The device's own node and an IO address space of {@code /dev/iommu}; since Linux 6.6. */
  IOMMUFD("cdev+iommufd"),

  /** The device's group and a container of {@code /dev/vfio/vfio}; since Linux 3.6. */
  CONTAINER("container/group"),

  /** No interface of the kernel's: a device model in this process. */
  MODEL("device model");

  private final String title;

  Backend(String title) {
    this.title = title;
  }

  /**
   * Returns how people call it.
   *
   * @return for example {@code cdev+iommufd}
   */
  @Override
  public String toString() {
    return title;
  }
}
