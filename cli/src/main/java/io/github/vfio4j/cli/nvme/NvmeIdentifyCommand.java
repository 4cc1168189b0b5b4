package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Size;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.nvme.ControllerIdentity;
import io.github.vfio4j.nvme.Namespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a controller tells of itself. */
@Command(
    name = "identify",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Says what a controller and its namespaces are.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class NvmeIdentifyCommand implements Callable<Integer> {

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  NvmeIdentifyCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws VfioException {
    CommandLine commandLine = spec.commandLine();
    HostDevice device = DeviceName.find(host.sysfs(), name, commandLine);
    try (OpenedDisk disk = OpenedDisk.open(token.with(device, commandLine), opener)) {
      ControllerIdentity identity = disk.controller().identity();
      List<Namespace> namespaces = disk.controller().namespaces();
      Map<Integer, CountedZones> zones = CountedZones.of(disk.controller());
      String address = disk.device().name();
      if (json) {
        json(address, identity)
            .with("namespaces", DiskJson.of(namespaces, zones))
            .print(host.out());
      } else {
        table(address, identity, namespaces, zones).lines().forEach(host.out()::println);
      }
    }
    return ExitStatus.DONE;
  }

  private static Json json(String device, ControllerIdentity identity) {
    return Json.object()
        .with("address", device)
        .with("vendorId", Json.hex(identity.vendorId()))
        .with("model", identity.model())
        .with("serialNumber", identity.serialNumber())
        .with("firmware", identity.firmware())
        .with("maximumTransfer", identity.maximumTransfer())
        .with("commands", commands(identity))
        .with("volatileCache", identity.hasVolatileCache());
  }

  private static Table table(
      String device,
      ControllerIdentity identity,
      List<Namespace> namespaces,
      Map<Integer, CountedZones> zones) {
    Table table =
        new Table("")
            .add("controller", device)
            .add("model", identity.model())
            .add("serial number", identity.serialNumber())
            .add("firmware", identity.firmware())
            .add("largest transfer", Size.of(identity.maximumTransfer()))
            .add("optional commands", String.join(", ", commands(identity)))
            .add("volatile cache", identity.hasVolatileCache() ? "yes, flush it" : "none");
    for (Namespace each : namespaces) {
      table.add(
          "namespace " + each.id(),
          "%s: %d blocks of %s"
              .formatted(Size.of(each.size()), each.blocks(), Size.of(each.blockSize())));
      CountedZones counted = zones.get(each.id());
      if (counted != null) {
        table.add("its zones", counted.text());
      }
    }
    return table;
  }

  private static List<String> commands(ControllerIdentity identity) {
    List<String> commands = new ArrayList<>();
    if (identity.hasCompare()) {
      commands.add("compare");
    }
    if (identity.hasDeallocate()) {
      commands.add("deallocate");
    }
    if (identity.hasWriteZeroes()) {
      commands.add("write zeroes");
    }
    if (identity.hasVerify()) {
      commands.add("verify");
    }
    return commands;
  }
}
