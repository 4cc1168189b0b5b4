package io.github.vfio4j.bench;

import io.github.vfio4j.model.Bus;
import io.github.vfio4j.model.DeviceModel;
import io.github.vfio4j.model.PciLayout;
import org.jspecify.annotations.Nullable;

/** A device that has nothing but access to memory. */
final class Probe implements DeviceModel {
  private @Nullable Bus bus;

  /** Returns the bus that it was plugged into. */
  Bus bus() {
    if (bus == null) {
      throw new IllegalStateException("The device is on no bus");
    }
    return bus;
  }

  @Override
  public PciLayout layout() {
    return PciLayout.of(0x1234, 1).build();
  }

  @Override
  public void plugIn(Bus place) {
    bus = place;
  }

  @Override
  public void reset() {}
}
