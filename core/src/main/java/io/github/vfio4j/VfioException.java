package io.github.vfio4j;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An operation on a device, group, container or iommufd object failed.
 *
 * <p>It says which operation, on which object, with which error number, and in words what that
 * means. There are subtypes only for failures on which a caller can act.
 */
public class VfioException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The system call, ioctl or step of the library that failed. */
  private final String operation;

  /** What it was done to. */
  private final String object;

  /** What the kernel answered, or 0 where it was not asked. */
  private final int errno;

  /**
   * Describes a failure.
   *
   * @param operation the system call or ioctl, or the library's step
   * @param object what it was done to: a device address, a node, an object with its number
   * @param errno what the kernel answered, or null where it was not asked
   * @param explanation what that means here, in words
   */
  public VfioException(String operation, String object, @Nullable Errno errno, String explanation) {
    super(message(operation, object, errno, explanation));
    this.operation = operation;
    this.object = object;
    this.errno = errno == null ? 0 : errno.number();
  }

  private static String message(
      String operation, String object, @Nullable Errno errno, String explanation) {
    StringBuilder message = new StringBuilder(operation).append(" on ").append(object);
    if (errno != null) {
      message.append(": ").append(errno);
    }
    if (!explanation.isEmpty()) {
      message.append(": ").append(explanation);
    }
    return message.toString();
  }

  /**
   * Returns the failed operation.
   *
   * @return the name of the system call or ioctl, or of the library's step
   */
  public String operation() {
    return operation;
  }

  /**
   * Returns what the operation was done to.
   *
   * @return a device address, a node, or an object with its number
   */
  public String object() {
    return object;
  }

  /**
   * Returns what the kernel answered.
   *
   * @return the error number, or empty where the library refused before asking the kernel
   */
  public Optional<Errno> errno() {
    return errno == 0 ? Optional.empty() : Optional.of(new Errno(errno));
  }
}
