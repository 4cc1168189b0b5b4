package io.github.vfio4j.cli;

import io.github.vfio4j.VfioException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows all that can be told of a device. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Shows a device: what sysfs knows and, where it can be opened, its insides.",
    description =
        "%nA device that is bound to a VFIO driver and that nobody else has open is opened for a"
            + " moment; the kernel may reset it for that. One that cannot be opened is no error:"
            + " the output says why not.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class ShowCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(paramLabel = "ADDRESS", description = DeviceName.DESCRIPTION)
  private String name = "";

  @Option(names = "--no-open", description = "Leave the device alone: print what sysfs knows.")
  private boolean noOpen;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  ShowCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    ShownDevice shown =
        ShownDevice.of(host, DeviceName.find(host.sysfs(), name, spec.commandLine()), !noOpen);
    if (json) {
      ShowJson.of(shown, host).print(host.out());
    } else {
      new ShowText(shown, host.ids()).lines().forEach(host.out()::println);
    }
    return ExitStatus.DONE;
  }
}
