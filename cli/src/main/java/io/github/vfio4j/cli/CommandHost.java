package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;

/**
 * What the commands work on and print to.
 *
 * @param sysfs the host's devices
 * @param ids the names of devices
 * @param opener how to look into a device that is bound
 * @param surveyor how to ask what the IOMMU behind a device can do
 * @param out where results go
 */
record CommandHost(Sysfs sysfs, PciIds ids, Opener opener, Surveyor surveyor, PrintWriter out) {

  /** Has all that is printed made printable. */
  CommandHost {
    out = PrintableWriter.of(out);
  }

  /** Opens a device, asks it everything, and closes it. */
  @FunctionalInterface
  interface Opener {
    OpenedDevice open(HostDevice device) throws VfioException;
  }

  /** Asks what the IOMMU behind a device can do. */
  @FunctionalInterface
  interface Surveyor {
    IommuSurvey survey(HostDevice device) throws VfioException;
  }

  static CommandHost running(PrintWriter out) {
    return new CommandHost(
        Sysfs.host(), PciIds.of(PCI_IDS), CommandHost::ask, CommandHost::survey, out);
  }

  private static final List<Path> PCI_IDS =
      List.of(Path.of("/usr/share/misc/pci.ids"), Path.of("/usr/share/hwdata/pci.ids"));

  private static OpenedDevice ask(HostDevice device) throws VfioException {
    try (VfioDevice opened = VfioDevice.open(device)) {
      return OpenedDevice.of(opened);
    }
  }

  private static IommuSurvey survey(HostDevice device) throws VfioException {
    return IommuSurvey.of(device);
  }
}
