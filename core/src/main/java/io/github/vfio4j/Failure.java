package io.github.vfio4j;

import io.github.vfio4j.linux.Ioctl;

/** Turns the kernel's error numbers into the exception that tells a caller what to do. */
final class Failure {
  private Failure() {}

  /** Describes a failed ioctl whose error numbers have no meaning of their own. */
  static VfioException of(Ioctl operation, String object, int answer) {
    return of(operation, object, answer, "");
  }

  static VfioException of(Ioctl operation, String object, int answer, String explanation) {
    if (answer == -Errno.ENOTTY.number()) {
      return new UnsupportedByKernelException(
          operation.name(),
          object,
          Errno.ENOTTY,
          "this kernel or this driver does not have it (Linux "
              + operation.since()
              + " was the first that had it)");
    }
    return of(operation.name(), object, answer, explanation);
  }

  static VfioException of(String operation, String object, int answer, String explanation) {
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EPERM) || errno.equals(Errno.EACCES)) {
      return new NotPermittedException(operation, object, errno, explanation);
    }
    if (errno.equals(Errno.EBUSY)) {
      return new DeviceBusyException(operation, object, errno, explanation);
    }
    if (errno.equals(Errno.ENODEV) || errno.equals(Errno.ENXIO)) {
      return new NoSuchDeviceException(operation, object, errno, explanation);
    }
    if (errno.equals(Errno.EOPNOTSUPP) || errno.equals(Errno.ENOSYS) || errno.equals(Errno.E2BIG)) {
      return new UnsupportedByKernelException(operation, object, errno, explanation);
    }
    return new VfioException(operation, object, errno, explanation);
  }

  /**
   * Describes a refused map or unmap of IO virtual addresses.
   *
   * @param range what was to be mapped, in words
   */
  static VfioException ofMap(
      Ioctl operation, String object, int answer, IovaRange range, MemlockLimit memlock) {
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EEXIST)) {
      return new IovaInUseException(
          operation.name(), object, errno, range + " is mapped already, in whole or in part");
    }
    if (errno.equals(Errno.EADDRINUSE)) {
      return new IovaOutOfRangeException(
          operation.name(), object, errno, range + " is reserved, in whole or in part");
    }
    if (errno.equals(Errno.ENOMEM)) {
      return new MemlockLimitException(
          operation.name(), object, errno, "cannot pin the memory of " + range + ": " + memlock);
    }
    if (errno.equals(Errno.EFAULT)) {
      return new VfioException(
          operation.name(),
          object,
          errno,
          "the memory for " + range + " is not there, or not writable as asked");
    }
    return of(operation, object, answer, range.toString());
  }
}
