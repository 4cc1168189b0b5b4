package io.github.vfio4j.opening;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/** Whether a physical function and its virtual ones want to be opened with a token (VF token). */
final class Token {
  private Token() {}

  static Optional<Obstacle> wanted(HostFiles files, HostDevice device) throws VfioException {
    if (!(device instanceof PciDevice pci)) {
      return Optional.empty();
    }
    Sysfs sysfs = files.sysfs();
    Optional<PciDevice> physical = sysfs.physicalFunction(pci);
    if (physical.filter(PciDevice::hasVfioDriver).isPresent()) {
      return Optional.of(
          new Obstacle(
              "it is a virtual function of "
                  + physical.get().name()
                  + ", which a user program has: it opens with that program's VF token only",
              "open it from that program, or bind "
                  + physical.get().name()
                  + " to its own driver"));
    }
    for (PciDevice virtual : sysfs.virtualFunctions(pci)) {
      if (sysfs.isOpen(virtual)) {
        return Optional.of(
            new Obstacle(
                "its virtual function "
                    + virtual.name()
                    + " is in use: it opens with a VF token only",
                "close " + virtual.name() + " first"));
      }
    }
    return Optional.empty();
  }
}
