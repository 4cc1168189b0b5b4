package io.github.vfio4j.cli.show;

import io.github.vfio4j.HostDevice;
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
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows all that can be told of devices. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Shows devices: what sysfs knows and, where they can be opened, their insides.",
    description =
        "%nA device that is bound to a VFIO driver and that nobody else has open is opened for a"
            + " moment; the kernel may reset it for that. One that cannot be opened is no error:"
            + " the output says why not.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
public final class ShowCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(paramLabel = "ADDRESS", arity = "1..*", description = DeviceName.DESCRIPTION)
  private List<String> names = List.of();

  @Option(names = "--no-open", description = "Leave the device alone: print what sysfs knows.")
  private boolean noOpen;

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  public ShowCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    Failures failures = new Failures();
    List<ShownDevice> shown = new ArrayList<>();
    CommandLine commandLine = spec.commandLine();
    List<HostDevice> found = DeviceName.find(host.sysfs(), names, commandLine, failures);
    for (HostDevice device : token.with(found, commandLine)) {
      try {
        shown.add(ShownDevice.of(host, device, !noOpen));
      } catch (VfioException e) {
        failures.add(e);
      }
    }
    if (json) {
      printJson(shown);
    } else {
      Paragraphs paragraphs = new Paragraphs(host.out());
      shown.forEach(each -> paragraphs.print(new ShowText(each, host.ids()).lines()));
      if (!shown.isEmpty()) {
        host.hintAtNames();
      }
    }
    failures.rethrow();
    return ExitStatus.DONE;
  }

  /** One that was asked for is an object, several are a list of those that could be shown. */
  private void printJson(List<ShownDevice> shown) throws VfioException {
    List<Json> devices = new ArrayList<>();
    for (ShownDevice each : shown) {
      devices.add(ShowJson.of(each, host));
    }
    if (names.size() > 1) {
      Json.object().with("devices", devices.stream().map(Json::map).toList()).print(host.out());
    } else {
      devices.forEach(device -> device.print(host.out()));
    }
  }
}
