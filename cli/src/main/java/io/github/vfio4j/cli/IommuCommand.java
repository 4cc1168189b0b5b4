package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows what the IOMMU behind devices can do. */
@Command(
    name = "iommu",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Shows what the IOMMU behind a device can do, and which page tables can be made.",
    description =
        "%nThe device is opened for a moment; the kernel may reset it for that. Page tables are"
            + " made and destroyed to find out.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class IommuCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "0..1",
      description =
          DeviceName.DESCRIPTION + " Without it, each device that is bound to a VFIO driver.")
  private @Nullable String name;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  IommuCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    List<SurveyedIommu> surveyed = new ArrayList<>();
    VfioException failure = null;
    for (HostDevice device : devices()) {
      try {
        surveyed.add(SurveyedIommu.of(host, device));
      } catch (UnsupportedByKernelException e) {
        throw e; // nor can it be asked of another
      } catch (VfioException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure == null || !surveyed.isEmpty()) {
      print(surveyed);
    }
    if (failure != null) {
      throw failure;
    }
    return ExitStatus.DONE;
  }

  private List<HostDevice> devices() throws VfioException {
    return name != null
        ? List.of(DeviceName.find(host.sysfs(), name, spec.commandLine()))
        : ListCommand.inOrder(host.sysfs().devices()).stream()
            .filter(HostDevice::hasVfioDriver)
            .toList();
  }

  private void print(List<SurveyedIommu> surveyed) {
    if (json) {
      Json.object()
          .with(
              "devices",
              surveyed.stream().map(each -> IommuJson.of(each, host.ids()).map()).toList())
          .print(host.out());
    } else if (surveyed.isEmpty()) {
      host.out().println("No device is bound to a VFIO driver.");
    } else {
      String gap = "";
      for (SurveyedIommu each : surveyed) {
        host.out().print(gap);
        new IommuText(each, host.ids()).lines().forEach(host.out()::println);
        gap = System.lineSeparator();
      }
    }
  }
}
