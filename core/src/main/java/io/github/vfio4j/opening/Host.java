package io.github.vfio4j.opening;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.RunningKernel;
import io.github.vfio4j.sysfs.Sysfs;

/** Where the library works: the kernel it calls, and the devices as sysfs shows them. */
public record Host(Kernel kernel, Sysfs sysfs) {
  private static final int O_RDWR = 2;
  private static final int O_CLOEXEC = 0x80000;

  public static Host running() throws VfioException {
    return new Host(RunningKernel.get(), Sysfs.host());
  }

  /** What to throw when a node is not there. */
  @FunctionalInterface
  public interface Missing {
    VfioException exception(String operation, String node, Errno errno, String explanation);
  }

  /**
   * Opens a device node for reading and writing.
   *
   * @param missing which exception says that the node is not there
   * @param meaning what that means
   */
  public Fd open(String node, Missing missing, String meaning) throws VfioException {
    return open(node, () -> false, missing, meaning);
  }

  /**
   * Opens the node of a device, which may be about to be registered.
   *
   * @param shown whether sysfs still names the node
   */
  public Fd open(String node, Registration.Shown shown, Missing missing, String meaning)
      throws VfioException {
    Fd file = new Fd(kernel, node);
    int answer = file.take(Registration.await(() -> kernel.open(node, O_RDWR | O_CLOEXEC), shown));
    if (answer >= 0) {
      return file;
    }
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.ENOENT) || errno.equals(Errno.ENODEV) || errno.equals(Errno.ENXIO)) {
      throw missing.exception("open", node, errno, meaning);
    }
    if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
      throw new NotPermittedException(
          "open", node, errno, Nodes.refused(sysfs, node, "it").sentence());
    }
    if (errno.equals(Errno.EBUSY)) {
      throw new DeviceBusyException("open", node, errno, "it is open already, here or elsewhere");
    }
    throw Answer.failure("open", node, answer, "");
  }
}
