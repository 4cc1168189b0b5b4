package io.github.vfio4j.opening;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.BindAdvice;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What any opening of a device must refuse, and which interface it takes where the caller leaves
 * that open. All of it is told from what sysfs has shown; no backend has a say.
 */
public final class Admission {
  private Admission() {}

  /** Returns the choice of a caller who has named an interface. */
  public static BackendChoice asked(Backend backend) {
    return new BackendChoice(backend, "the caller asked for it");
  }

  /** Refuses a device that no VFIO driver hands out. */
  public static void requireBound(Host host, HostDevice device) throws VfioException {
    Optional<Obstacle> unbound = unbound(host.sysfs(), device);
    if (unbound.isPresent()) {
      throw new DeviceNotBoundException("open", device.name(), null, unbound.get().sentence());
    }
  }

  /** Says that no VFIO driver hands a device out, and how one would. */
  static Optional<Obstacle> unbound(Sysfs sysfs, HostDevice device) throws VfioException {
    if (device.hasVfioDriver()) {
      return Optional.empty();
    }
    String seen =
        device
            .driver()
            .map(driver -> "it is bound to " + driver + ", not to a VFIO driver")
            .orElse("no driver is bound to it");
    return Optional.of(new Obstacle(seen, BindAdvice.of(sysfs, device)));
  }

  /**
   * Refuses a device that opens with a token only and has none, or one that takes none. Some
   * kernels do not ask for it on a device's own node; that is no permission of whoever has set it.
   */
  public static void requireToken(HostFiles files, HostDevice device) throws VfioException {
    Optional<Obstacle> token = Token.inTheWay(files, device);
    if (device.hasVfioDriver() && token.isPresent()) {
      throw new NotPermittedException("open", device.name(), null, token.get().sentence());
    }
  }

  /** Refuses a device for which nothing translates: its IOVAs would be physical addresses. */
  public static void requireIommu(Host host, HostDevice device) throws VfioException {
    if (Guard.isMissing(host, device)) {
      throw new NotPermittedException(
          "open", device.name(), null, new Obstacle(Guard.MISSING, Guard.FIX).sentence());
    }
  }

  /** Names the members of a group that keep it from user space, as the end of a sentence. */
  public static String blockers(Host host, int group) {
    try {
      return host.sysfs().group(group).blockers().stream()
          .map(Admission::describe)
          .collect(Collectors.joining(", ", ": ", ""));
    } catch (VfioException unreadable) {
      return " (" + unreadable.getMessage() + ")";
    }
  }

  private static String describe(IommuGroup.Member member) {
    return member.name() + " is bound to " + member.driver().orElse("no driver");
  }
}
