package io.github.vfio4j;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.sysfs.HostDevice;

/** A device opened through its group and a {@link Container}, which owns it. */
public final class GroupDevice extends VfioDevice {
  private final Container container;
  private final Group group;

  private GroupDevice(
      Host host, String name, Fd fd, BackendChoice choice, Container container, Group group)
      throws VfioException {
    super(host, name, fd, choice, new Object());
    this.container = container;
    this.group = group;
  }

  static GroupDevice open(Host host, HostDevice device, Container container, BackendChoice choice)
      throws VfioException {
    if (!device.hasVfioDriver()) {
      throw CdevDevice.notBound(device);
    }
    int number =
        device
            .iommuGroup()
            .orElseThrow(
                () ->
                    new DeviceNotBoundException(
                        "open",
                        device.name(),
                        null,
                        "it is in no IOMMU group, so no IOMMU translates for it"));
    CdevDevice.requireIommu(host, device);
    synchronized (container.lock) {
      boolean fresh = !container.holds(number);
      Group group = container.group(number);
      try {
        return open(host, device.name(), container, group, choice);
      } catch (VfioException | RuntimeException e) {
        if (fresh) {
          container.drop(group, e);
        }
        throw e;
      }
    }
  }

  private static GroupDevice open(
      Host host, String name, Container container, Group group, BackendChoice choice)
      throws VfioException {
    Fd fd = new Fd(host.kernel(), group.deviceFd(name), name);
    try {
      GroupDevice device = new GroupDevice(host, name, fd, choice, container, group);
      container.deviceOpened();
      group.add(device);
      return device;
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  @Override
  public Container addressSpace() {
    return container;
  }

  /**
   * Returns the group that the device was opened through.
   *
   * @return the group
   */
  public Group group() {
    return group;
  }

  @Override
  void leaveOwner() {
    group.forget(this);
  }
}
