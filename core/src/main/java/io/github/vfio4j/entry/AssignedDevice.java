package io.github.vfio4j.entry;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IrqIndex;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.sysfs.DriverBinding;

/** An open device that goes back to its former driver when it is closed. */
final class AssignedDevice implements VfioDevice, OpenDevice.Owner {
  private final VfioDevice device;
  private final DriverBinding binding;

  /** Takes over both. */
  AssignedDevice(VfioDevice device, DriverBinding binding) {
    this.device = device;
    this.binding = binding;
  }

  @Override
  public OpenDevice engine() {
    return OpenDevice.of(device);
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
    return device.addressSpace();
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

  /** Both remember what of their closing is done, so this may be tried again. */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    closing.attempt(device::close);
    closing.attempt(binding::close);
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return device.toString();
  }
}
