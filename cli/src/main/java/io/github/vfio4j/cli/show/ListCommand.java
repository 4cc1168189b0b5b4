package io.github.vfio4j.cli.show;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceJson;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.cli.text.Title;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Lists the devices by IOMMU group. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Lists the devices by IOMMU group: a program gets a whole group or nothing of it.",
    optionListHeading = "%nOptions:%n")
public final class ListCommand implements Callable<Integer> {

  private final CommandHost host;

  @Option(names = "--vfio", description = "Only devices that are bound to a VFIO driver.")
  private boolean onlyVfio;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  public ListCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws VfioException {
    List<HostDevice> devices =
        inOrder(host.sysfs().devices()).stream()
            .filter(device -> !onlyVfio || device.hasVfioDriver())
            .toList();
    if (json) {
      Json.object()
          .with(
              "devices",
              devices.stream().map(device -> DeviceJson.of(device, host.ids()).map()).toList())
          .print(host.out());
    } else if (devices.isEmpty()) {
      host.out().println(onlyVfio ? "No device is bound to a VFIO driver." : "No devices.");
    } else {
      table(devices, host.ids()).lines().forEach(host.out()::println);
      host.hintAtNames();
    }
    return ExitStatus.DONE;
  }

  /** By group; those in none come last. Within a group they stay as sysfs sorts them. */
  public static List<HostDevice> inOrder(List<HostDevice> devices) {
    return devices.stream()
        .sorted(Comparator.comparingInt(device -> device.iommuGroup().orElse(Integer.MAX_VALUE)))
        .toList();
  }

  public static Table table(List<HostDevice> devices, PciIds ids) {
    Table table = new Table("", 0).add("GROUP", "ADDRESS", "DRIVER", "CDEV", "DEVICE");
    OptionalInt last = OptionalInt.of(-1);
    for (HostDevice device : devices) {
      OptionalInt group = device.iommuGroup();
      String shown = group.isEmpty() ? "-" : group.equals(last) ? "" : "" + group.getAsInt();
      last = group;
      table.add(
          shown,
          device.name(),
          device.driver().orElse("-"),
          device.cdev().map(DeviceNode::name).orElse("-"),
          Title.of(device, ids));
    }
    return table;
  }
}
