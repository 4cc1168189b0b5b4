package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Waits for the nodes of a device that was just bound. The kernel usually has them ready by then;
 * where a daemon makes them, they are looked for every 20 ms: sysfs cannot be watched.
 */
final class NodeWait {

  private static final long LOOK_AGAIN_MS = 20;

  private NodeWait() {}

  /**
   * Waits for the nodes of a device.
   *
   * @param patience how long; zero to leave the nodes alone
   * @param otherwise what becomes of the device if they do not appear, as the end of a sentence
   */
  static PciDevice await(Sysfs sysfs, PciAddress address, Duration patience, String otherwise)
      throws VfioException {
    long limit = TimeUnit.NANOSECONDS.convert(patience);
    long start = System.nanoTime();
    while (true) {
      PciDevice device = sysfs.device(address);
      Optional<String> missing = patience.isZero() ? Optional.empty() : missing(sysfs, device);
      if (missing.isEmpty()) {
        return device;
      }
      if (System.nanoTime() - start >= limit) {
        throw new VfioException(
            "wait for the node",
            device.name(),
            null,
            "%s, after %s ms%s".formatted(missing.get(), patience.toMillis(), otherwise));
      }
      try {
        Thread.sleep(LOOK_AGAIN_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        VfioException failure =
            new VfioException(
                "wait for the node", device.name(), null, "the thread was interrupted");
        failure.initCause(e);
        throw failure;
      }
    }
  }

  /** What is not yet there, in words. */
  private static Optional<String> missing(Sysfs sysfs, PciDevice device) throws VfioException {
    List<DeviceNode> nodes = sysfs.nodes(device);
    if (nodes.isEmpty()) {
      return Optional.of("the kernel has announced no VFIO node for the device");
    }
    for (DeviceNode node : nodes) {
      Optional<DeviceNumber> number = number(sysfs, node);
      if (number.isEmpty()) {
        return Optional.of(node.path() + " has not appeared (devtmpfs or udev makes it)");
      }
      if (!number.get().equals(node.number())) {
        return Optional.of(
            "%s has the number %s, and not %s as sysfs says"
                .formatted(node.path(), number.get(), node.number()));
      }
    }
    return Optional.empty();
  }

  private static Optional<DeviceNumber> number(Sysfs sysfs, DeviceNode node) throws VfioException {
    try {
      return sysfs.files().number(node.path());
    } catch (IOException e) {
      throw FileFailure.reading("look at the node", node.path().toString(), e);
    }
  }
}
