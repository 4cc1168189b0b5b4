package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** The IOVA range lies, in whole or in part, outside what the IOMMU translates. */
public class IovaOutOfRangeException extends VfioException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param operation the system call or ioctl, or the library's step
   * @param object what it was done to
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public IovaOutOfRangeException(
      String operation, String object, @Nullable Errno errno, String explanation) {
    super(operation, object, errno, explanation);
  }
}
