package io.github.vfio4j.cli;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.DeviceName;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Transfer;
import io.github.vfio4j.cli.host.VfTokenOption;
import io.github.vfio4j.cli.host.WholeFile;
import io.github.vfio4j.migration.DeviceState;
import io.github.vfio4j.migration.Migration;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Restores a device from a file. */
@Command(
    name = "restore",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Makes a device what another one of its kind was when it was saved.",
    description = "%nIf its driver does not take the state, the device is reset.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class MigrateRestoreCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "Where its state comes from.")
  private Path file = Path.of("");

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  MigrateRestoreCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws IOException {
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    try (FileChannel source = WholeFile.read(file);
        VfioDevice opened = VfioDevice.open(device);
        Migration migration = Migration.of(opened)) {
      Transfer transfer = new Transfer(host, "restored");
      long bytes = migration.restore(source, transfer);
      migration.moveTo(DeviceState.RUNNING);
      transfer.end(device.name(), bytes, file, json);
    }
    return ExitStatus.DONE;
  }
}
