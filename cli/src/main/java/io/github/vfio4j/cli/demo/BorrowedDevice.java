package io.github.vfio4j.cli.demo;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;

/** A device that a demonstration takes from the kernel, and gives back. */
public final class BorrowedDevice implements AutoCloseable {

  private final Narrator narrator;
  private final PciDevice device;
  private final DriverBinding binding;

  private BorrowedDevice(Narrator narrator, PciDevice device, DriverBinding binding) {
    this.narrator = narrator;
    this.device = device;
    this.binding = binding;
  }

  static BorrowedDevice take(CommandHost host, Narrator narrator, PciDevice edu)
      throws VfioException {
    narrator.heading(
        "Taking %s, an edu device (QEMU's, to learn from), from the kernel".formatted(edu.name()));
    DriverBinding binding =
        narrator.step(
            () -> DriverBinding.bind(host.sysfs(), edu.address()),
            bound ->
                "bound it to vfio-pci, the driver that lends it; before, it had "
                    + bound
                        .formerDriver()
                        .map(driver -> "the driver " + driver)
                        .orElse("no driver"));
    return new BorrowedDevice(narrator, edu, binding);
  }

  void giveBack() throws VfioException {
    narrator.heading("Giving %s back".formatted(device.name()));
    narrator.step(binding::restore, "its driver is again: " + device.driver().orElse("none"));
  }

  /** Gives it back without a word where that has not been done. */
  @Override
  public void close() throws VfioException {
    binding.close();
  }
}
