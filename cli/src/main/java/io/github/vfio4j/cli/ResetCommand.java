package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Resets a device that nobody uses. */
@Command(
    name = "reset",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Resets a device that is bound to a VFIO driver and that nobody has open.",
    description =
        "%nA hot reset reaches all devices of the slot or bus. It is refused while somebody has one"
            + " of them, or one is not bound to a VFIO driver: the message names it.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ResetCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(
      paramLabel = "ADDRESS",
      description =
          "A PCI address such as 0000:00:05.0 or 00:05.0, or the UUID of a mediated device.")
  private String name = "";

  @Option(
      names = "--hot",
      description = "Reset its slot or bus, with all devices there, instead of the device alone.")
  private boolean hot;

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  ResetCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    List<String> reset = host.resetter().reset(device, hot);
    if (json) {
      Json.object()
          .with("name", device.name())
          .with("method", hot ? "hot" : "function")
          .with("reset", reset)
          .print(host.out());
    } else {
      Table table = new Table("");
      reset.forEach(each -> table.add(each, "reset" + how(device)));
      table.lines().forEach(host.out()::println);
    }
    return ExitStatus.DONE;
  }

  private String how(HostDevice device) {
    if (hot) {
      return " with its slot or bus";
    }
    return device instanceof PciDevice pci && !pci.resetMethods().isEmpty()
        ? " (" + pci.resetMethods().getFirst() + ")"
        : "";
  }
}
