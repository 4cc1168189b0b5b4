package io.github.vfio4j.nvme;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.time.Duration;

/** The registers by which a controller is started and stopped, and says whether it is alive. */
final class ControllerRegisters implements AutoCloseable {
  private static final long CAPABILITIES = 0x00;
  private static final long CONFIGURATION = 0x14;
  private static final long STATUS = 0x1c;
  private static final long ADMIN_QUEUE_SIZES = 0x24;
  private static final long ADMIN_SUBMISSION_QUEUE = 0x28;
  private static final long ADMIN_COMPLETION_QUEUE = 0x30;
  private static final int SIZE = 0x1000;

  private static final int ENABLE = 1;
  private static final int ENTRY_SIZES = 6 << 16 | 4 << 20;
  private static final int ALL_COMMAND_SETS = 6 << 4;
  private static final int SHUTDOWN = 1 << 14;
  private static final int READY = 1;
  private static final int FATAL = 2;
  private static final int SHUTDOWN_STATUS = 3 << 2;
  private static final int SHUTDOWN_COMPLETE = 2 << 2;
  private static final int ALL_ONES = -1;

  private static final Duration SHUTDOWN_PATIENCE = Duration.ofSeconds(30);
  private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);

  private final VfioDevice device;
  private final MappedRegion mapped;
  private final Capabilities capabilities;

  private ControllerRegisters(VfioDevice device, MappedRegion mapped) {
    this.device = device;
    this.mapped = mapped;
    this.capabilities = new Capabilities(mapped.getLong(CAPABILITIES));
  }

  static ControllerRegisters map(VfioDevice device) throws VfioException {
    if (device.pci().bar(0).size() < SIZE * 2L) {
      throw new VfioException("start", device.name(), null, "it is no NVMe controller");
    }
    MappedRegion mapped = device.pci().bar(0).map();
    try {
      return new ControllerRegisters(device, mapped);
    } catch (Throwable e) {
      try (mapped) {
        throw e;
      }
    }
  }

  MappedRegion mapped() {
    return mapped;
  }

  Capabilities capabilities() {
    return capabilities;
  }

  /** Returns whether the device has gone, which is what all ones say. */
  boolean isGone() {
    return status() == ALL_ONES;
  }

  /** Reads the status; all ones also where the kernel lets nobody at the registers. */
  private int status() {
    try {
      return mapped.getIntAcquire(STATUS);
    } catch (InternalError e) { // as MappedRegion says
      return ALL_ONES;
    }
  }

  /** Starts and stops the controller. */
  private void configure(String operation, int configuration) throws VfioException {
    try {
      mapped.setIntRelease(CONFIGURATION, configuration);
    } catch (InternalError e) {
      throw gone(operation);
    }
  }

  /** Throws what is wrong, if the controller cannot end any command. */
  void requireAlive(String operation) throws VfioException {
    int status = status();
    if (status == ALL_ONES) {
      throw gone(operation);
    }
    if ((status & FATAL) != 0) {
      throw new ControllerFatalException(operation, device.name());
    }
  }

  private NoSuchDeviceException gone(String operation) {
    return new NoSuchDeviceException(
        operation,
        device.name(),
        null,
        "it has gone: its registers read as all ones, or not at all");
  }

  /**
   * Stops the controller, by the reset of its function where it does not stop when it is told. The
   * fatal status need not end with that, but with the start that follows.
   */
  void disable() throws VfioException {
    configure("disable", 0);
    try {
      await("disable", READY, 0, capabilities.timeout());
    } catch (DeviceTimeoutException e) {
      try {
        device.reset();
        await("disable", READY, 0, capabilities.timeout());
      } catch (VfioException again) {
        again.addSuppressed(e);
        throw again;
      }
    }
  }

  /** Starts a controller that is stopped, with its admin queues. */
  void enable(Rings admin) throws VfioException {
    int most = admin.entries() - 1;
    mapped.setInt(ADMIN_QUEUE_SIZES, most << 16 | most);
    mapped.setLong(ADMIN_SUBMISSION_QUEUE, admin.commandsIova());
    mapped.setLong(ADMIN_COMPLETION_QUEUE, admin.completionsIova());
    configure("enable", enabled());
    await("enable", READY | FATAL, READY, capabilities.timeout());
  }

  private int enabled() {
    return ENABLE | ENTRY_SIZES | (capabilities.hasOtherCommands() ? ALL_COMMAND_SETS : 0);
  }

  /** Shuts the controller down, so that what it has in its cache is kept, and stops it. */
  void shutDown() throws VfioException {
    int status = status();
    if (status == ALL_ONES) {
      return;
    }
    try {
      if ((status & FATAL) == 0 && (status & READY) != 0) {
        configure("shut down", enabled() | SHUTDOWN);
        await("shut down", SHUTDOWN_STATUS, SHUTDOWN_COMPLETE, SHUTDOWN_PATIENCE);
      }
    } finally {
      try {
        device.pci().config().setBusMaster(false);
      } finally {
        configure("shut down", 0);
      }
    }
  }

  /** Waits for bits of the status, but not for a controller that will not set them any more. */
  private void await(String operation, int mask, int expected, Duration limit)
      throws VfioException {
    for (Duration left = limit; ; left = left.minus(BETWEEN_LOOKS)) {
      boolean last = left.compareTo(BETWEEN_LOOKS) <= 0;
      try {
        mapped.awaitInt(STATUS, mask, expected, last ? left : BETWEEN_LOOKS);
        return;
      } catch (InternalError e) {
        throw gone(operation);
      } catch (DeviceTimeoutException e) {
        int status = status();
        if (status == ALL_ONES) {
          throw gone(operation);
        }
        if ((status & FATAL) != 0 && expected != 0) {
          throw new ControllerFatalException(operation, device.name());
        }
        if (last) {
          throw e;
        }
      }
    }
  }

  @Override
  public void close() throws VfioException {
    mapped.close();
  }
}
