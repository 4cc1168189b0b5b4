package io.github.vfio4j.cli;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.cli.demo.DemoCommand;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.host.Version;
import io.github.vfio4j.cli.nvme.NvmeCommand;
import io.github.vfio4j.cli.show.DoctorCommand;
import io.github.vfio4j.cli.show.IommuCommand;
import io.github.vfio4j.cli.show.ListCommand;
import io.github.vfio4j.cli.show.ShowCommand;
import io.github.vfio4j.cli.text.PrintableWriter;
import io.github.vfio4j.cli.vm.TellCommand;
import io.github.vfio4j.cli.vm.VmCommand;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;

/** The command itself, and what its subcommands have in common. */
@Command(
    name = "vfio4j",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    sortOptions = false,
    header = "Shows and prepares devices for user programs: VFIO and iommufd on Linux.%n",
    synopsisSubcommandLabel = "COMMAND",
    commandListHeading = "%nCommands:%n",
    optionListHeading = "%nOptions:%n",
    exitCodeListHeading = "%nExit status:%n",
    exitCodeList = {
      "0:done",
      "1:the operation failed; doctor: a condition is not met",
      "2:wrong usage",
      "3:no such device",
      "4:not permitted",
      "5:the device is busy",
      "6:the device, or a neighbour in its group, is not bound to a VFIO driver",
      "7:this kernel or device does not have the operation",
      "8:vm --no-reboot: the guest has asked for a reset, or has failed"
    })
final class Vfio4j {

  private static final Set<String> CHANGING =
      Set.of("bind", "unbind", "vf", "reset", "demo", "exec", "vm", "migrate", "mdev");

  private static final Pattern UUID_FORM =
      Pattern.compile("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}");

  @Option(
      names = "--trace",
      scope = ScopeType.INHERIT,
      description = "After an error, print where it comes from.")
  private boolean trace;

  @Option(
      names = "--calls",
      scope = ScopeType.INHERIT,
      description = "Print each call to the kernel on the standard error.")
  private boolean calls;

  boolean trace() {
    return trace;
  }

  /** Runs the command and ends the virtual machine with its exit status. */
  public static void main(String[] arguments) {
    PrintWriter err = writer(System.err);
    System.exit(run(CommandHost.running(writer(System.out), err), err, arguments));
  }

  /** Runs the command, and returns its exit status. */
  static int run(CommandHost host, PrintWriter err, String... arguments) {
    IntSupplier command = () -> execute(host, err, arguments);
    return CHANGING.contains(name(arguments)) ? OrderlyEnd.of(command) : command.getAsInt();
  }

  private static int execute(CommandHost host, PrintWriter err, String... arguments) {
    int status = commandLine(host, err, arguments).execute(arguments);
    if (!host.out().checkError()) {
      return status;
    }
    err.println("vfio4j: the output cannot be written: its disk is full, or its reader has gone");
    err.flush();
    return status == ExitStatus.DONE ? ExitStatus.FAILED : status;
  }

  /** The property is read when the kernel is first called. */
  private int execute(ParseResult arguments) {
    if (calls) {
      System.setProperty("io.github.vfio4j.calls", "stderr");
    }
    return new RunLast().execute(arguments);
  }

  static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, false, stream.charset());
  }

  static CommandLine commandLine(CommandHost host, PrintWriter raw, String... arguments) {
    PrintWriter err = PrintableWriter.of(raw);
    Vfio4j vfio4j = new Vfio4j();
    CommandLine commandLine = new CommandLine(vfio4j);
    for (Object command : commands(host, err, arguments)) {
      commandLine.addSubcommand(command);
    }
    return commandLine
        .setOut(host.out())
        .setErr(err)
        .setUsageHelpWidth(100)
        .setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF))
        .registerConverter(PciAddress.class, Vfio4j::address)
        .registerConverter(UUID.class, Vfio4j::uuid)
        .setExpandAtFiles(false)
        .setExecutionStrategy(vfio4j::execute)
        .setParameterExceptionHandler(new UsageLine(err))
        .setExecutionExceptionHandler(new ErrorLine(vfio4j, host.sysfs(), err));
  }

  /**
   * The command that is named, or all if none is: picocli takes half of the start-up time to look
   * at them all.
   */
  private static List<Object> commands(CommandHost host, PrintWriter err, String... arguments) {
    return switch (name(arguments)) {
      case "list" -> List.of(new ListCommand(host));
      case "show" -> List.of(new ShowCommand(host));
      case "iommu" -> List.of(new IommuCommand(host));
      case "bind" -> List.of(new BindCommand(host, err));
      case "unbind" -> List.of(new UnbindCommand(host, err));
      case "vf" -> List.of(new VfCommand(host));
      case "reset" -> List.of(new ResetCommand(host));
      case "exec" -> List.of(new ExecCommand(host, err));
      case "vm" -> List.of(new VmCommand(host, err));
      case "tell" -> List.of(new TellCommand(host));
      case "mdev" -> List.of(MdevCommand.of(host));
      case "migrate" -> List.of(MigrateCommand.of(host));
      case "nvme" -> List.of(NvmeCommand.of(host));
      case "doctor" -> List.of(new DoctorCommand(host));
      case "demo" -> List.of(new DemoCommand(host));
      case "rehearse" -> List.of(new RehearseCommand(host));
      default ->
          List.of(
              new ListCommand(host),
              new ShowCommand(host),
              new IommuCommand(host),
              new BindCommand(host, err),
              new UnbindCommand(host, err),
              new VfCommand(host),
              new ResetCommand(host),
              new ExecCommand(host, err),
              new VmCommand(host, err),
              new TellCommand(host),
              MdevCommand.of(host),
              MigrateCommand.of(host),
              NvmeCommand.of(host),
              new DoctorCommand(host),
              new DemoCommand(host),
              new CompletionCommand(host),
              new HelpCommand());
    };
  }

  private static String name(String... arguments) {
    return Arrays.stream(arguments)
        .filter(argument -> !argument.startsWith("-"))
        .findFirst()
        .orElse("");
  }

  /** Java itself takes much that is none, such as 1-1-1-1-1. */
  private static UUID uuid(String text) {
    if (!UUID_FORM.matcher(text).matches()) {
      throw new TypeConversionException(text + " is no UUID: it has 32 digits, 8-4-4-4-12");
    }
    return UUID.fromString(text);
  }

  private static PciAddress address(String text) {
    if (UUID_FORM.matcher(text).matches()) {
      throw new TypeConversionException(
          text + " is a mediated device, made for user programs: only PCI devices are bound");
    }
    try {
      return PciAddress.of(text);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
