package io.github.vfio4j.container;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.Step;
import java.util.Map;

/** A device opened through its group and a {@link Container}, which owns it. */
@SuppressWarnings("exports") // the engine is for the packages of this module
public final class GroupDevice implements VfioDevice, OpenDevice.Owner {
  private final Container container;
  private final Group group;
  private final OpenDevice device;

  private GroupDevice(
      Host host, DeviceFile file, BackendChoice choice, Container container, Group group)
      throws VfioException {
    this.container = container;
    this.group = group;
    this.device = new OpenDevice(host.kernel(), file, choice, new GroupBacking(), new Object());
  }

  /** What a group adds to the closing of a device. */
  private final class GroupBacking implements OpenDevice.Backing {
    @Override
    public void stop(Closing closing) {}

    @Override
    public void leaveOwner() {
      group.forget(GroupDevice.this);
    }

    @Override
    public Map<Integer, Fd> groups() {
      return container.groupFiles();
    }
  }

  /** Opens a member of a group that is in a container, with the lock of the container held. */
  static GroupDevice open(
      Host host, HostDevice device, Container container, Group group, BackendChoice choice)
      throws VfioException {
    synchronized (group) { // whoever looks whether one is open sees it as soon as the kernel does
      try (Rollback rollback = new Rollback()) {
        Fd file = new Fd(host.kernel(), device.name());
        rollback.add(file::close);
        file.take(group.deviceFd(host, device));
        DeviceFile channel = new DeviceFile(host.kernel(), file, device.name());
        GroupDevice opened = new GroupDevice(host, channel, choice, container, group);
        container.deviceOpened();
        group.add(opened);
        return rollback.done(opened);
      }
    }
  }

  /** Has something closed right after this device, which was opened for it alone. */
  void closeAfterwards(Step closing) {
    device.closeAfterwards(closing);
  }

  /**
   * For the packages of this module.
   *
   * @return the engine
   */
  @Override
  public OpenDevice engine() {
    return device;
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public boolean isClosed() {
    return device.isClosed();
  }

  @Override
  public BackendChoice choice() {
    return device.choice();
  }

  @Override
  public DeviceInfo info() {
    return device.info();
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
  public Region region(int index) throws VfioException {
    return device.region(index);
  }

  @Override
  public IrqIndex irq(int index) throws VfioException {
    return device.irq(index);
  }

  @Override
  public void reset() throws VfioException {
    device.reset();
  }

  @Override
  public void close() throws VfioException {
    device.close();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return device.name();
  }
}
