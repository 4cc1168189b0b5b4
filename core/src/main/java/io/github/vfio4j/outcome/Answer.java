package io.github.vfio4j.outcome;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;

/**
 * Turns the kernel's answers into results, or into the exception that tells a caller what to do.
 */
public final class Answer {
  private Answer() {}

  /** Returns the answer of an ioctl, or throws if it is an error. */
  public static int require(Ioctl operation, String object, int answer) throws VfioException {
    if (answer < 0) {
      throw failure(operation, object, answer, "");
    }
    return answer;
  }

  /**
   * Returns the answer of a system call, or throws if it is an error.
   *
   * @param meaning what an error means here, in words
   */
  public static long require(String operation, String object, long answer, String meaning)
      throws VfioException {
    if (answer < 0) {
      throw failure(operation, object, (int) answer, meaning);
    }
    return answer;
  }

  /** Returns whether an answer is this error. */
  public static boolean is(long answer, Errno errno) {
    return answer == -errno.number();
  }

  /** Describes a failed ioctl whose error numbers have no meaning of their own. */
  public static VfioException failure(Ioctl operation, String object, int answer) {
    return failure(operation, object, answer, "");
  }

  /** Describes a failed ioctl. */
  public static VfioException failure(Ioctl operation, String object, int answer, String meaning) {
    return failure(operation, operation.since(), object, answer, meaning);
  }

  /**
   * Describes a failed ioctl that has come to do more than it did at first.
   *
   * @param since the first kernel that had what was asked for
   */
  public static VfioException failure(
      Ioctl operation, String since, String object, int answer, String meaning) {
    if (is(answer, Errno.ENOTTY)) {
      return new UnsupportedByKernelException(
          operation.name(),
          object,
          Errno.ENOTTY,
          "this kernel or this driver does not have it (Linux "
              + since
              + " was the first that had it)");
    }
    return failure(operation.name(), object, answer, meaning);
  }

  /** Describes a failed system call. */
  public static VfioException failure(String operation, String object, int answer, String meaning) {
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EPERM) || errno.equals(Errno.EACCES)) {
      return new NotPermittedException(operation, object, errno, meaning);
    }
    if (errno.equals(Errno.EBUSY)) {
      return new DeviceBusyException(operation, object, errno, meaning);
    }
    if (errno.equals(Errno.ENODEV) || errno.equals(Errno.ENXIO)) {
      return new NoSuchDeviceException(operation, object, errno, meaning);
    }
    if (errno.equals(Errno.EOPNOTSUPP) || errno.equals(Errno.ENOSYS) || errno.equals(Errno.E2BIG)) {
      return new UnsupportedByKernelException(operation, object, errno, meaning);
    }
    return new VfioException(operation, object, errno, meaning);
  }

  /**
   * Describes a reply that makes no sense, whatever error number there may have been.
   *
   * @param what the kernel has sent, in words
   */
  public static VfioException impossible(Ioctl operation, String object, String what) {
    return new VfioException(operation.name(), object, null, "the kernel's reply has " + what);
  }
}
