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
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Saves what is in a device to a file. */
@Command(
    name = "save",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Saves what is in a device to a file, which is whole then, or not there at all.",
    description = "%nThe device is stopped meanwhile, and goes on afterwards.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class MigrateSaveCommand implements Callable<Integer> {

  private final CommandHost host;

  @Parameters(index = "0", paramLabel = "DEVICE", description = DeviceName.DESCRIPTION_OF_ONE)
  private String name = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "Where its state goes.")
  private Path file = Path.of("");

  @Option(names = "--force", description = "Replace a file that is there already.")
  private boolean force;

  @Mixin private VfTokenOption token = new VfTokenOption();

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  MigrateSaveCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() throws IOException {
    HostDevice named = DeviceName.find(host.sysfs(), name, spec.commandLine());
    HostDevice device = token.with(named, spec.commandLine());
    WholeFile target = WholeFile.of(file, force);
    try (VfioDevice opened = VfioDevice.open(device);
        Migration migration = Migration.of(opened)) {
      Transfer transfer = new Transfer(host, "saved");
      long bytes = save(migration, target, transfer);
      transfer.end(device.name(), bytes, file, json);
    }
    return ExitStatus.DONE;
  }

  /** A device that was stopped for nothing goes on, too. */
  private static long save(Migration migration, WholeFile target, Transfer transfer)
      throws IOException {
    long bytes;
    try {
      bytes = target.fill(channel -> migration.save(channel, transfer));
    } catch (IOException | RuntimeException | Error e) {
      try {
        migration.moveTo(DeviceState.RUNNING);
      } catch (IOException | RuntimeException | Error further) {
        e.addSuppressed(further);
      }
      throw e;
    }
    migration.moveTo(DeviceState.RUNNING);
    return bytes;
  }
}
