package io.github.vfio4j.cli;

import io.github.vfio4j.cli.host.CommandHost;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What belongs to saving and restoring a device. */
@Command(
    name = "migrate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Saves what is in a device to a file, or restores it to another one.",
    description =
        "%nDevices of software keep their state when nobody has them open; those of hardware are"
            + " mostly reset then, and are migrated by the program that has them.",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n")
final class MigrateCommand {
  private MigrateCommand() {}

  /** Returns the command with those that belong to it. */
  static CommandLine of(CommandHost host) {
    return new CommandLine(new MigrateCommand())
        .addSubcommand(new MigrateSaveCommand(host))
        .addSubcommand(new MigrateRestoreCommand(host));
  }
}
