package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.NvmeController;
import io.github.vfio4j.sysfs.PciDevice;

/**
 * An NVMe controller that was opened and started for one command.
 *
 * @param device the open device
 * @param controller its driver
 */
record OpenedDisk(VfioDevice device, NvmeController controller) implements AutoCloseable {
  /** Opens a device. */
  @FunctionalInterface
  interface Opener {
    VfioDevice open(HostDevice device) throws VfioException;
  }

  static OpenedDisk open(HostDevice device, Opener opener) throws VfioException {
    if (!isDisk(device)) {
      throw new VfioException("open", device.name(), null, "it is no NVMe controller");
    }
    VfioDevice opened = opener.open(device);
    try {
      return new OpenedDisk(opened, NvmeController.start(opened));
    } catch (Throwable e) {
      try (opened) {
        throw e;
      }
    }
  }

  static boolean isDisk(HostDevice device) {
    return device instanceof PciDevice pci && NvmeController.matches(pci);
  }

  @Override
  public void close() throws VfioException {
    try (device) {
      controller.close();
    }
  }
}
