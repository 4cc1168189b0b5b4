package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** A device did not do in time what was waited for; reset it, or give it up. */
public class DeviceTimeoutException extends VfioException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param operation what was waited for
   * @param object what did not do it
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public DeviceTimeoutException(
      String operation, String object, @Nullable Errno errno, String explanation) {
    super(operation, object, errno, explanation);
  }
}
