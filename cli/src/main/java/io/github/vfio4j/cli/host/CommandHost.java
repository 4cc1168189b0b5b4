package io.github.vfio4j.cli.host;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.cli.text.PrintableWriter;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;

/**
 * What the commands work on and print to.
 *
 * @param sysfs the host's devices
 * @param ids the names of devices
 * @param opener how to look into a device that is bound
 * @param surveyor how to ask what the IOMMU behind a device can do
 * @param resetter how to reset a device
 * @param out where results go
 * @param hints where a person is told what would be better
 */
public record CommandHost(
    Sysfs sysfs,
    PciIds ids,
    Opener opener,
    Surveyor surveyor,
    Resetter resetter,
    PrintWriter out,
    PrintWriter hints) {

  /** Has all that is printed made printable. */
  public CommandHost {
    out = PrintableWriter.of(out);
    hints = PrintableWriter.of(hints);
  }

  /** Says where the names of devices come from, if there are none. */
  public void hintAtNames() {
    if (ids.isMissing()) {
      out.flush();
      hints.println(
          "vfio4j: for the names of vendors and devices install pci.ids (Debian: apt install"
              + " pci.ids; Fedora: dnf install hwdata)");
      hints.flush();
    }
  }

  /** Opens a device, asks it everything, and closes it. */
  @FunctionalInterface
  public interface Opener {
    OpenedDevice open(HostDevice device) throws VfioException;
  }

  /** Asks what the IOMMU behind a device can do. */
  @FunctionalInterface
  public interface Surveyor {
    IommuSurvey survey(HostDevice device) throws VfioException;
  }

  /** Opens a device and resets it, alone or with its slot or bus; tells what was reset. */
  @FunctionalInterface
  public interface Resetter {
    List<String> reset(HostDevice device, boolean hot) throws VfioException;
  }

  public static CommandHost running(PrintWriter out, PrintWriter err) {
    return new CommandHost(
        Sysfs.host(),
        PciIds.of(PCI_IDS),
        CommandHost::ask,
        CommandHost::survey,
        ResetRun::of,
        out,
        StandardStream.ERROR.isTerminal() ? err : new PrintWriter(Writer.nullWriter()));
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
