package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.RunningUser;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * Writes to attributes that act on one device. The kernel can keep a writer for as long as somebody
 * has the device open, even one that is killed; who asks here is told after a while.
 */
final class BoundedWrites {

  private final Sysfs sysfs;
  private final String object;
  private final Optional<DeviceHolder> holder;
  private boolean unfinished;

  private BoundedWrites(Sysfs sysfs, String object, Optional<DeviceHolder> holder) {
    this.sysfs = sysfs;
    this.object = object;
    this.holder = holder;
  }

  /** Writes for a device that is to be made. */
  static BoundedWrites of(Sysfs sysfs, String object) {
    return new BoundedWrites(sysfs, object, Optional.empty());
  }

  static BoundedWrites of(Sysfs sysfs, HostDevice device, DeviceHolder holder) {
    return new BoundedWrites(sysfs, device.name(), Optional.of(holder));
  }

  /** Returns whether the kernel was still at one of them when it was last looked at. */
  boolean isUnfinished() {
    return unfinished;
  }

  /** Writes, and throws if the kernel refuses. */
  void write(String operation, Path attribute, String value, Duration bound) throws VfioException {
    Optional<Errno> refusal = refusal(operation, attribute, value, bound);
    if (refusal.isPresent()) {
      throw failure(operation, refusal.get());
    }
  }

  /**
   * Writes, and returns the error number if the kernel refuses.
   *
   * @throws DeviceBusyException if the kernel has not come to an end in time
   */
  Optional<Errno> refusal(String operation, Path attribute, String value, Duration bound)
      throws VfioException {
    sysfs.files().prepareToWrite();
    Optional<Long> answer = Bounded.call(bound, () -> sysfs.files().write(attribute, value));
    if (answer.isEmpty()) {
      unfinished = true;
      throw busy(operation, bound);
    }
    return answer.get() < 0 ? Optional.of(new Errno((int) -answer.get())) : Optional.empty();
  }

  /** Describes a refusal. */
  VfioException failure(String operation, Errno errno) {
    return FileFailure.writing(operation, object, errno, RunningUser.isRoot(sysfs.root()));
  }

  /** Describes what the kernel has not come to an end with. */
  private DeviceBusyException busy(String operation, Duration bound) throws VfioException {
    String who = holder.isPresent() ? "; " + holder.get().describe() : "";
    return new DeviceBusyException(
        operation,
        object,
        null,
        "the kernel has not done it within %.1f s; it goes on, and may still do it%s"
            .formatted(bound.toMillis() / 1000.0, who));
  }
}
