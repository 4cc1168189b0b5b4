package io.github.vfio4j.cli;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.MediatedType;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists mediated devices, and what more of them can be created. */
@Command(
    name = "mdev",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Lists mediated devices and their types; creates and removes such devices.",
    description = "%nA mediated device is a share of another one, or one of software.",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n")
final class MdevCommand implements Callable<Integer> {

  private final CommandHost host;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  private MdevCommand(CommandHost host) {
    this.host = host;
  }

  /** Returns the command with those that belong to it. */
  static CommandLine of(CommandHost host) {
    return new CommandLine(new MdevCommand(host))
        .addSubcommand(new MdevCreateCommand(host))
        .addSubcommand(new MdevRemoveCommand(host));
  }

  @Override
  public Integer call() throws VfioException {
    List<MediatedType> types = host.sysfs().mediatedTypes();
    List<MediatedDevice> devices = host.sysfs().mediatedDevices();
    if (json) {
      Json.object()
          .with("types", types.stream().map(MdevCommand::json).map(Json::map).toList())
          .with(
              "devices",
              devices.stream().map(device -> DeviceJson.of(device, host.ids()).map()).toList())
          .print(host.out());
    } else if (types.isEmpty() && devices.isEmpty()) {
      host.out().println("No device here offers mediated devices.");
    } else {
      print(types, devices);
    }
    return ExitStatus.DONE;
  }

  private void print(List<MediatedType> types, List<MediatedDevice> devices) {
    Table table = new Table("", 2).add("PARENT", "TYPE", "FREE", "LIKE", "NAME");
    for (MediatedType type : types) {
      table.add(
          type.parent(),
          type.id(),
          Integer.toString(type.availableInstances()),
          type.deviceApi(),
          type.name().orElse("-"));
    }
    table.lines().forEach(host.out()::println);
    host.out().println();
    if (devices.isEmpty()) {
      host.out().println("No mediated devices.");
      return;
    }
    Table made = new Table("").add("DEVICE", "PARENT", "TYPE", "DRIVER", "CDEV");
    for (MediatedDevice device : devices) {
      made.add(
          device.name(),
          device.parent(),
          device.type(),
          device.driver().orElse("-"),
          device.cdev().map(DeviceNode::name).orElse("-"));
    }
    made.lines().forEach(host.out()::println);
  }

  private static Json json(MediatedType type) {
    return Json.object()
        .with("parent", type.parent())
        .with("type", type.id())
        .with("name", type.name())
        .with("deviceApi", type.deviceApi())
        .with("availableInstances", type.availableInstances());
  }
}
