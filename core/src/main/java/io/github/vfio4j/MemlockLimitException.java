package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** Pinning the memory would pass the limit of locked memory (RLIMIT_MEMLOCK). */
public class MemlockLimitException extends VfioException {
  private static final long serialVersionUID = 1L;

  /**
   * Describes a failure.
   *
   * @param operation the system call or ioctl, or the library's step
   * @param object what it was done to
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public MemlockLimitException(
      String operation, String object, @Nullable Errno errno, String explanation) {
    super(operation, object, errno, explanation);
  }
}
