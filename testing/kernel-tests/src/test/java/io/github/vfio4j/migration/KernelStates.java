package io.github.vfio4j.migration;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Fd;

/** The states of a device without the checks of a {@link Migration}. */
public final class KernelStates {
  private KernelStates() {}

  /** Returns whether the kernel moves a device to a state. */
  public static boolean moves(VfioDevice device, DeviceState to) {
    OpenDevice engine = OpenDevice.of(device);
    Fd data = new Fd(engine.kernel(), "data");
    try {
      new StateFeature(engine).set(to, data::take);
      return true;
    } catch (VfioException e) {
      return false;
    } finally {
      data.close();
    }
  }
}
