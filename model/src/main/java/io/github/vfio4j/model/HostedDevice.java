package io.github.vfio4j.model;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Closing;

/** A model that a driver has open. */
final class HostedDevice implements VfioDevice, OpenDevice.Owner {
  private static final BackendChoice CHOICE =
      new BackendChoice(Backend.MODEL, "it is a device model, hosted in this process");

  private final OpenDevice device;
  private final ModelSpace space;

  HostedDevice(Kernel kernel, Chassis chassis, ModelSpace space, Runnable closed)
      throws VfioException {
    this.space = space;
    this.device =
        new OpenDevice(
            kernel, new ModelChannel(chassis), CHOICE, new ModelBacking(closed), new Object());
  }

  /** What a host adds to the closing of a device. */
  private record ModelBacking(Runnable closed) implements OpenDevice.Backing {
    @Override
    public void stop(Closing closing) {}

    @Override
    public void leaveOwner() {
      closed.run();
    }
  }

  /** Has the address space closed right after this device, for which alone it was made. */
  void ownSpace() {
    device.closeAfterwards(space::close);
  }

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
  public IoAddressSpace addressSpace() {
    return space;
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
