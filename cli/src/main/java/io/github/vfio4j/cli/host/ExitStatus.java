package io.github.vfio4j.cli.host;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;

/** The exit status of each outcome on which a script may act. */
public final class ExitStatus {
  public static final int DONE = 0;
  public static final int FAILED = 1;
  public static final int USAGE = 2;
  public static final int NO_SUCH_DEVICE = 3;
  public static final int NOT_PERMITTED = 4;
  public static final int BUSY = 5;
  public static final int NOT_BOUND = 6;
  public static final int UNSUPPORTED = 7;
  public static final int RESET = 8;

  private ExitStatus() {}

  public static int of(Exception failure) {
    return switch (failure) {
      case NoSuchDeviceException _ -> NO_SUCH_DEVICE;
      case NotPermittedException _ -> NOT_PERMITTED;
      case DeviceBusyException _ -> BUSY;
      case DeviceNotBoundException _ -> NOT_BOUND;
      case UnsupportedByKernelException _ -> UNSUPPORTED;
      default -> FAILED;
    };
  }
}
