package io.github.vfio4j.cli.show;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Failures;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Paragraphs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
        "%nEach device is opened for a moment; the kernel may reset it for that. Page tables are"
            + " made and destroyed to find out.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
public final class IommuCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      arity = "0..*",
      description =
          DeviceName.DESCRIPTION + " Without any, each device that is bound to a VFIO driver.")
  private List<String> names = List.of();

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  public IommuCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    List<SurveyedIommu> surveyed = new ArrayList<>();
    Failures failures = new Failures();
    for (HostDevice device : devices(failures)) {
      try {
        surveyed.add(SurveyedIommu.of(host, device));
      } catch (UnsupportedByKernelException e) {
        failures.add(e);
        break; // nor can it be asked of another
      } catch (VfioException e) {
        failures.add(e);
      }
    }
    if (failures.isEmpty() || !surveyed.isEmpty()) {
      print(surveyed);
    }
    failures.rethrow();
    return ExitStatus.DONE;
  }

  private List<HostDevice> devices(Failures failures) throws VfioException {
    return !names.isEmpty()
        ? token.with(
            DeviceName.find(host.sysfs(), names, spec.commandLine(), failures), spec.commandLine())
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
      Paragraphs paragraphs = new Paragraphs(host.out());
      surveyed.forEach(each -> paragraphs.print(new IommuText(each, host.ids()).lines()));
    }
  }
}
