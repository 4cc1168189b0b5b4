package io.github.vfio4j;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.FileStatus;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.sysfs.DeviceNode;
import io.github.vfio4j.sysfs.DeviceNumber;

/** Proves that an open file is the device node that sysfs means, whatever its name was. */
final class OpenNode {
  private OpenNode() {}

  /** Returns the device number of an open character device. */
  static DeviceNumber number(Kernel kernel, Fd fd) throws VfioException {
    int number = fd.acquire();
    FileStatus status;
    try {
      status = FileStatus.of(kernel, number);
    } finally {
      fd.release();
    }
    if (status.answer() < 0) {
      throw Failure.of("statx", fd.object(), status.answer(), "");
    }
    if (!status.characterDevice()) {
      throw new NoSuchDeviceException("statx", fd.object(), null, "it is not a device node");
    }
    return new DeviceNumber(status.major(), status.minor());
  }

  static void require(Kernel kernel, Fd fd, DeviceNode node) throws VfioException {
    DeviceNumber actual = number(kernel, fd);
    if (!actual.equals(node.number())) {
      throw new NoSuchDeviceException(
          "statx",
          fd.object(),
          null,
          "it is device " + actual + ", but sysfs names " + node.number() + " for " + node.path());
    }
  }

  /** Duplicates a file that somebody passed to this process. */
  static Fd duplicate(Kernel kernel, int number) throws VfioException {
    return duplicate(kernel, number, "passed file " + number);
  }

  /**
   * Duplicates an open file.
   *
   * @param object what messages call it
   */
  static Fd duplicate(Kernel kernel, int number, String object) throws VfioException {
    int answer = kernel.duplicate(number);
    if (answer < 0) {
      throw Failure.of("fcntl", object, answer, "it is not an open file of this process");
    }
    return new Fd(kernel, answer, object);
  }
}
