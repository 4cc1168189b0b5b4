package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import org.jspecify.annotations.Nullable;

/** An invalidation was refused; the entries before the refused one are carried out. */
public class InvalidationException extends VfioException {
  private static final long serialVersionUID = 1L;

  /** How many entries the kernel has carried out. */
  private final int handled;

  /**
   * Describes a failure.
   *
   * @param operation the ioctl
   * @param object what it was done to
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   * @param handled how many entries the kernel has carried out
   */
  public InvalidationException(
      String operation, String object, @Nullable Errno errno, String explanation, int handled) {
    super(operation, object, errno, explanation);
    this.handled = handled;
  }

  /**
   * Returns how far the kernel came.
   *
   * @return how many entries are carried out; the index of the one that was refused
   */
  public int handled() {
    return handled;
  }
}
