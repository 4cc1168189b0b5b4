package io.github.vfio4j.cli;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.GivenBack;
import io.github.vfio4j.sysfs.PciDevice;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Gives devices back to the system's drivers, all or none. */
@Command(
    name = "unbind",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Gives devices back to the drivers that the system has for them.",
    description =
        "%nAll of them or none: if one cannot be unbound, those before it are bound to vfio-pci"
            + " again. A device that a process has open is busy, and stays bound. Virtual functions"
            + " of a device (see vf) end with it; the output says which.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class UnbindCommand implements Callable<Integer> {

  private final CommandHost host;
  private final PrintWriter err;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "1..*",
      description = "PCI addresses such as 0000:00:05.0 or 00:05.0.")
  private List<PciAddress> addresses = List.of();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  UnbindCommand(CommandHost host, PrintWriter err) {
    this.host = host;
    this.err = err;
  }

  @Override
  public Integer call() throws VfioException {
    List<DriverChange> changes = new ArrayList<>();
    List<PciDevice> formers = new ArrayList<>();
    try {
      for (PciAddress address : new LinkedHashSet<>(addresses)) {
        Interruption.check("unbind", address.toString());
        PciDevice former = host.sysfs().device(address);
        GivenBack now = DriverBinding.unbind(host.sysfs(), address);
        formers.add(former);
        changes.add(new DriverChange(now.device(), former.driver(), now.endedFunctions()));
      }
    } catch (VfioException | RuntimeException | Error failure) {
      undo(formers, failure);
      throw failure;
    }
    DriverChange.print(changes, json, host.out());
    return ExitStatus.DONE;
  }

  private void undo(List<PciDevice> formers, Throwable failure) {
    for (PciDevice former : formers.reversed()) {
      if (former.driver().isPresent()) {
        try {
          PciDevice now = DriverBinding.rebind(host.sysfs(), former);
          err.println(
              "vfio4j: %s is bound to %s again".formatted(now.name(), now.driver().orElseThrow()));
        } catch (VfioException | RuntimeException | Error e) {
          failure.addSuppressed(e);
        }
      }
    }
  }
}
