package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.cli.host.CommandHost;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What belongs to NVMe disks. */
@Command(
    name = "nvme",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Looks at NVMe disks, reads, writes and measures them, past the system's own driver.",
    description =
        "%nThe disk has to be bound to a VFIO driver, see 'vfio4j help bind': that is refused while"
            + " the system uses it. Each command resets the controller; what is on the disk stays.",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n")
public final class NvmeCommand {
  private NvmeCommand() {}

  /** Returns the command with those that belong to it. */
  public static CommandLine of(CommandHost host) {
    return of(host, VfioDevice::open);
  }

  static CommandLine of(CommandHost host, OpenedDisk.Opener opener) {
    return new CommandLine(new NvmeCommand())
        .addSubcommand(new NvmeListCommand(host, opener))
        .addSubcommand(new NvmeIdentifyCommand(host, opener))
        .addSubcommand(new NvmeSmartCommand(host, opener))
        .addSubcommand(new NvmeReadCommand(host, opener))
        .addSubcommand(new NvmeWriteCommand(host, opener))
        .addSubcommand(new NvmeBenchCommand(host, opener));
  }
}
