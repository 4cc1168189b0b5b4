package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Waits for the nodes of a device that was just bound. The kernel usually has them ready by then;
 * where a daemon makes them, a directory watch tells, and sysfs, which cannot be watched, is looked
 * at every 20 ms.
 */
final class NodeWait {

  private static final long LOOK_AGAIN_MS = 20;

  private NodeWait() {}

  static PciDevice await(Sysfs sysfs, PciAddress address, Duration patience) throws VfioException {
    long deadline = System.nanoTime() + patience.toNanos();
    PciDevice device = sysfs.device(address);
    Optional<String> missing = missing(sysfs, device);
    if (missing.isEmpty()) {
      return device;
    }
    try (WatchService watch = watch(sysfs.dev())) {
      while (missing.isPresent()) {
        if (System.nanoTime() - deadline >= 0) {
          throw new VfioException("wait for the node", device.name(), null, missing.get());
        }
        var change = watch.poll(LOOK_AGAIN_MS, TimeUnit.MILLISECONDS);
        if (change != null) {
          change.pollEvents();
          change.reset();
        }
        device = sysfs.device(address);
        missing = missing(sysfs, device);
      }
      return device;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      VfioException failure =
          new VfioException("wait for the node", device.name(), null, "the thread was interrupted");
      failure.initCause(e);
      throw failure;
    } catch (VfioException e) {
      throw e;
    } catch (IOException e) {
      throw FileFailure.of("wait for the node", device.name(), e);
    }
  }

  private static WatchService watch(Path dev) throws IOException {
    WatchService watch = dev.getFileSystem().newWatchService();
    for (Path directory : List.of(dev, dev.resolve("vfio"), dev.resolve("vfio/devices"))) {
      if (Files.isDirectory(directory)) {
        directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      }
    }
    return watch;
  }

  /** What is not yet there, in words. */
  private static Optional<String> missing(Sysfs sysfs, PciDevice device) throws VfioException {
    List<DeviceNode> nodes = new ArrayList<>();
    device.cdev().ifPresent(nodes::add);
    if (device.iommuGroup().isPresent()) {
      sysfs.group(device.iommuGroup().getAsInt()).node().ifPresent(nodes::add);
    }
    if (nodes.isEmpty()) {
      return Optional.of("the kernel has announced no VFIO node for the device");
    }
    for (DeviceNode node : nodes) {
      Optional<DeviceNumber> number = number(sysfs, node);
      if (number.isEmpty()) {
        return Optional.of(node.path() + " has not appeared; is devtmpfs or udev at work?");
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
      throw FileFailure.of("look at the node", node.path().toString(), e);
    }
  }
}
