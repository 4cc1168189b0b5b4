package io.github.vfio4j.opening;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.Optional;

/**
 * Whether a device can be opened with the token (VF token) that it is given, or without one.
 * Whether it is the right token the kernel alone knows.
 */
final class Token {
  private static final String FIX =
      "open it with the token (PciDevice.withVfToken, or --vf-token), or ";

  private final HostFiles files;
  private final HostDevice device;

  private Token(HostFiles files, HostDevice device) {
    this.files = files;
    this.device = device;
  }

  /** Says what stands in the way on either interface. */
  static Optional<Obstacle> inTheWay(HostFiles files, HostDevice device) throws VfioException {
    Token token = new Token(files, device);
    if (device.vfToken().isEmpty()) {
      return token.wanted();
    }
    return token.isTaken()
        ? Optional.empty()
        : Optional.of(
            new Obstacle(
                "it takes no VF token: it is neither a physical function nor a virtual one of a"
                    + " physical one that a user program has",
                "open it without a token"));
  }

  /** Says what stands in the way on a device's own node, which older kernels give no token. */
  static Optional<Obstacle> inTheWayOnNode(HostFiles files, HostDevice device) {
    return device.vfToken().isPresent() && files.isKernelBefore(6, 17)
        ? Optional.of(onNode())
        : Optional.empty();
  }

  /** Says that this kernel takes no token on a device's own node. */
  static Obstacle onNode() {
    return new Obstacle(
        "this kernel takes no VF token on a device's own node (Linux 6.17 was the first)",
        "open it through its group");
  }

  private Optional<Obstacle> wanted() throws VfioException {
    if (!(device instanceof PciDevice pci)) {
      return Optional.empty();
    }
    Sysfs sysfs = files.sysfs();
    Optional<PciDevice> physical = sysfs.physicalFunction(pci);
    if (physical.filter(PciDevice::hasVfioDriver).isPresent()) {
      String name = physical.get().name();
      return Optional.of(
          new Obstacle(
              "it is a virtual function of "
                  + name
                  + ", which a user program has: it opens with that program's VF token only",
              FIX + "bind " + name + " to its own driver"));
    }
    for (PciDevice virtual : sysfs.virtualFunctions(pci)) {
      if (sysfs.isOpen(virtual)) {
        return Optional.of(
            new Obstacle(
                "its virtual function "
                    + virtual.name()
                    + " is in use: it opens with a VF token only",
                FIX + "close " + virtual.name() + " first"));
      }
    }
    return Optional.empty();
  }

  private boolean isTaken() throws VfioException {
    if (!(device instanceof PciDevice pci)) {
      return false;
    }
    Optional<PciDevice> physical = files.sysfs().physicalFunction(pci);
    return physical.isPresent()
        ? physical.get().hasVfioDriver()
        : files.sysfs().virtualFunctionLimit(pci) > 0;
  }
}
