package io.github.vfio4j.cli;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Interruption;
import io.github.vfio4j.sysfs.BindAdvice;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.WhenInUse;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Binds devices to {@code vfio-pci}, all or none. */
@Command(
    name = "bind",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Takes devices from their drivers and gives them to user programs (vfio-pci).",
    description =
        "%nAll of them or none: if one cannot be bound, those before it get their drivers back."
            + " Virtual functions of a device (see vf) end with most drivers; the output says"
            + " which.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class BindCommand implements Callable<Integer> {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final CommandHost host;
  private final PrintWriter err;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "1..*",
      description = "PCI addresses such as 0000:00:05.0 or 00:05.0.")
  private List<PciAddress> addresses = List.of();

  @Option(
      names = "--force",
      description = "Take also what the running system uses: disks, network interfaces.")
  private boolean force;

  @Option(
      names = "--no-wait",
      description = "Do without the devices' nodes, which may appear elsewhere than in this /dev.")
  private boolean noWait;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  BindCommand(CommandHost host, PrintWriter err) {
    this.host = host;
    this.err = err;
  }

  @Override
  public Integer call() throws VfioException {
    List<DriverBinding> bound = new ArrayList<>();
    try {
      for (PciAddress address : new LinkedHashSet<>(addresses)) {
        Interruption.check("bind", address.toString());
        WhenInUse whenInUse = force ? WhenInUse.TAKE : WhenInUse.REFUSE;
        Duration patience = noWait ? Duration.ZERO : PATIENCE;
        bound.add(DriverBinding.bind(host.sysfs(), address, patience, whenInUse));
      }
    } catch (VfioException | RuntimeException | Error failure) {
      undo(bound, failure);
      throw failure;
    }
    List<DriverChange> changes =
        bound.stream()
            .map(
                binding ->
                    new DriverChange(
                        binding.device(), binding.formerDriver(), binding.endedFunctions()))
            .toList();
    DriverChange.print(changes, json, host.out());
    warnOfNeighbours(changes);
    return ExitStatus.DONE;
  }

  private void undo(List<DriverBinding> bound, Throwable failure) {
    for (DriverBinding binding : bound.reversed()) {
      try {
        binding.restore();
        err.println("vfio4j: " + binding.device().name() + " is again as it was");
      } catch (VfioException | RuntimeException | Error e) {
        failure.addSuppressed(e);
      }
    }
  }

  /** A device that is bound can still not be opened while its group is not viable. */
  private void warnOfNeighbours(List<DriverChange> changes) throws VfioException {
    Set<Integer> groups = new LinkedHashSet<>();
    for (DriverChange change : changes) {
      change.device().iommuGroup().ifPresent(groups::add);
    }
    for (int number : groups) {
      IommuGroup group = host.sysfs().group(number);
      if (!group.blockers().isEmpty()) {
        err.println(
            "vfio4j: group %d cannot be opened before this: %s"
                .formatted(number, BindAdvice.of(host.sysfs(), group, group.blockers())));
      }
    }
    err.flush();
  }
}
