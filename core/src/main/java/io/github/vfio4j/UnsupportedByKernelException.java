package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** This kernel, or this hardware, does not have the operation. */
public class UnsupportedByKernelException extends VfioException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param operation the system call or ioctl, or the library's step
   * @param object what it was done to
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public UnsupportedByKernelException(
      String operation, String object, @Nullable Errno errno, String explanation) {
    super(operation, object, errno, explanation);
  }
}
