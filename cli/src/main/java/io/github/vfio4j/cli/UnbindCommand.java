package io.github.vfio4j.cli;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.DriverBinding;
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
            + " again. A device that a process has open is busy, and stays bound.",
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
    try {
      for (PciAddress address : new LinkedHashSet<>(addresses)) {
        PciDevice former = host.sysfs().device(address);
        changes.add(new DriverChange(DriverBinding.unbind(host.sysfs(), address), former.driver()));
      }
    } catch (VfioException failure) {
      undo(changes, failure);
      throw failure;
    }
    DriverChange.print(changes, json, host.out());
    return ExitStatus.DONE;
  }

  private void undo(List<DriverChange> changes, VfioException failure) {
    for (DriverChange change : changes.reversed()) {
      if (change.formerDriver().isPresent()) {
        try {
          DriverBinding.bind(host.sysfs(), change.device().address());
          err.println("vfio4j: " + change.device().name() + " is bound to vfio-pci again");
        } catch (VfioException e) {
          failure.addSuppressed(e);
        }
      }
    }
  }
}
