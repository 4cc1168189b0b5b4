package io.github.vfio4j.opening;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.FileStatus;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;

/** Proves that an open file is the device node that sysfs means, whatever its name was. */
public final class OpenNode {
  private OpenNode() {}

  /** Returns the device number of an open character device. */
  public static DeviceNumber number(Kernel kernel, Fd fd) throws VfioException {
    int number = fd.acquire();
    FileStatus status;
    try {
      status = FileStatus.of(kernel, number);
    } finally {
      fd.release();
    }
    Answer.require("statx", fd.object(), status.answer(), "");
    if (!status.characterDevice()) {
      throw new NoSuchDeviceException("statx", fd.object(), null, "it is not a device node");
    }
    return new DeviceNumber(status.major(), status.minor());
  }

  public static void require(Kernel kernel, Fd fd, DeviceNode node) throws VfioException {
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
  public static Fd duplicate(Kernel kernel, int number) throws VfioException {
    return duplicate(kernel, number, "passed file " + number);
  }

  /**
   * Duplicates an open file.
   *
   * @param object what messages call it
   */
  public static Fd duplicate(Kernel kernel, int number, String object) throws VfioException {
    Fd copy = new Fd(kernel, object);
    int answer = copy.take(kernel.duplicate(number));
    Answer.require("fcntl", object, answer, "it is not an open file of this process");
    return copy;
  }
}
