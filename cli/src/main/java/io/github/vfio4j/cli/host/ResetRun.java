package io.github.vfio4j.cli.host;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.pci.DependentDevice;
import io.github.vfio4j.pci.DependentDevice.Owner;
import io.github.vfio4j.pci.HotReset;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Opens a device, and resets it; with a hot reset, opens what that reaches and nobody has, too. */
public final class ResetRun {

  private ResetRun() {}

  /** Resets a device, and returns the names of all that were reset, its own first. */
  public static List<String> of(HostDevice device, boolean hot) throws VfioException {
    try (VfioDevice opened = VfioDevice.open(device)) {
      if (hot) {
        return hot(opened);
      }
      opened.reset();
      return List.of(opened.name());
    }
  }

  private static List<String> hot(VfioDevice device) throws VfioException {
    HotReset reset = HotReset.of(device);
    try (Others others = new Others()) {
      for (DependentDevice dependent : reset.dependents()) {
        if (dependent.owner() == Owner.NOBODY && dependent.driver().isPresent()) {
          others.open(Sysfs.host().device(dependent.address()), device.addressSpace());
        }
      }
      reset.perform();
    }
    return reset.dependents().stream().map(dependent -> dependent.address().toString()).toList();
  }

  /** What is open for the time of a reset. */
  private static final class Others implements AutoCloseable {

    private final Deque<VfioDevice> open = new ArrayDeque<>();

    void open(HostDevice device, IoAddressSpace space) throws VfioException {
      open.push(VfioDevice.open(device, space));
    }

    @Override
    public void close() throws VfioException {
      Failures failures = new Failures();
      for (VfioDevice device : open) {
        try {
          device.close();
        } catch (VfioException e) {
          failures.add(e);
        }
      }
      failures.rethrow();
    }
  }
}
