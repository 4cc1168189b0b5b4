package io.github.vfio4j.cli;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.cli.text.Title;
import io.github.vfio4j.sysfs.MediatedDevice;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Removes a mediated device. */
@Command(
    name = "remove",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Removes a mediated device for good, unless somebody has it open.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class MdevRemoveCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(index = "0", paramLabel = "UUID", description = "How it is called.")
  private UUID uuid = new UUID(0, 0);

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  MdevRemoveCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    MediatedDevice device = host.sysfs().device(uuid);
    host.sysfs().remove(device);
    if (json) {
      DeviceJson.of(device, host.ids()).print(host.out());
    } else {
      new Table("")
          .add(device.name(), Title.of(device, host.ids()) + ", removed")
          .lines()
          .forEach(host.out()::println);
    }
    return ExitStatus.DONE;
  }
}
