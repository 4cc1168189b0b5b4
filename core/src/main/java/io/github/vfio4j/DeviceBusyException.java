package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** Somebody else holds the device, the group or the object; try again when it is free. */
public class DeviceBusyException extends VfioException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param operation the system call or ioctl, or the library's step
   * @param object what it was done to
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public DeviceBusyException(
      String operation, String object, @Nullable Errno errno, String explanation) {
    super(operation, object, errno, explanation);
  }
}
