package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.Table;
import io.github.vfio4j.nvme.HealthLog;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says how healthy a disk is. */
@Command(
    name = "smart",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Says how healthy a disk is: the SMART log of its controller.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class NvmeSmartCommand implements Callable<Integer> {

  private final CommandHost host;
  private final OpenedDisk.Opener opener;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  NvmeSmartCommand(CommandHost host, OpenedDisk.Opener opener) {
    this.host = host;
    this.opener = opener;
  }

  @Override
  public Integer call() throws VfioException {
    CommandLine commandLine = spec.commandLine();
    HostDevice device = DeviceName.find(host.sysfs(), name, commandLine);
    try (OpenedDisk disk = OpenedDisk.open(token.with(device, commandLine), opener)) {
      HealthLog health = disk.controller().health();
      if (json) {
        json(disk.device().name(), health).print(host.out());
      } else {
        table(disk.device().name(), health).lines().forEach(host.out()::println);
      }
    }
    return ExitStatus.DONE;
  }

  private static Json json(String device, HealthLog health) {
    return Json.object()
        .with("address", device)
        .with("criticalWarnings", health.criticalWarnings())
        .with("celsius", health.celsius())
        .with("sparePercent", health.sparePercent())
        .with("spareThresholdPercent", health.spareThresholdPercent())
        .with("usedPercent", health.usedPercent())
        .with("bytesRead", health.bytesRead())
        .with("bytesWritten", health.bytesWritten())
        .with("reads", health.reads())
        .with("writes", health.writes())
        .with("powerCycles", health.powerCycles())
        .with("powerOnHours", health.powerOnHours())
        .with("unsafeShutdowns", health.unsafeShutdowns())
        .with("mediaErrors", health.mediaErrors());
  }

  private static Table table(String device, HealthLog health) {
    return new Table("")
        .add("controller", device)
        .add(
            "warnings",
            health.criticalWarnings().isEmpty()
                ? "none"
                : String.join("; ", health.criticalWarnings()))
        .add("temperature", health.celsius() + " °C")
        .add(
            "spare",
            "%d %% (a warning below %d %%)"
                .formatted(health.sparePercent(), health.spareThresholdPercent()))
        .add("used up", health.usedPercent() + " %")
        .add("read", "%d bytes by %d commands".formatted(health.bytesRead(), health.reads()))
        .add("written", "%d bytes by %d commands".formatted(health.bytesWritten(), health.writes()))
        .add(
            "power",
            "%d times on, %d hours, %d times off without warning"
                .formatted(health.powerCycles(), health.powerOnHours(), health.unsafeShutdowns()))
        .add("media errors", health.mediaErrors().toString());
  }
}
