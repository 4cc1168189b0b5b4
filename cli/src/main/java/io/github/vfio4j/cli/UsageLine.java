package io.github.vfio4j.cli;

import io.github.vfio4j.cli.host.ExitStatus;
import io.github.vfio4j.cli.text.Printable;
import io.github.vfio4j.cli.text.Similar;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Tells of wrong usage in one line, and what was probably meant. */
final class UsageLine implements IParameterExceptionHandler {

  private final PrintWriter err;

  UsageLine(PrintWriter err) {
    this.err = err;
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine commandLine = commandLine(failure);
    String message = Printable.line(describe(failure, commandLine));
    String command = commandLine.getCommandSpec().qualifiedName();
    String link = message.endsWith("?") ? " See " : "; see ";
    err.println("vfio4j: " + message + link + command + " --help");
    err.flush();
    return ExitStatus.USAGE;
  }

  /** The command that was misused: what is missing in one is often what its parent did not know. */
  private static CommandLine commandLine(ParameterException failure) {
    CommandLine commandLine = failure.getCommandLine();
    CommandLine parent = commandLine.getParent();
    return failure instanceof MissingParameterException
            && commandLine.getUnmatchedArguments().isEmpty()
            && parent != null
            && !parent.getUnmatchedArguments().isEmpty()
        ? parent
        : commandLine;
  }

  private static String describe(ParameterException failure, CommandLine commandLine) {
    List<String> unmatched =
        switch (failure) {
          case UnmatchedArgumentException e -> e.getUnmatched();
          case MissingParameterException _ -> commandLine.getUnmatchedArguments();
          default -> List.of();
        };
    return unmatched.isEmpty()
        ? String.valueOf(failure.getMessage())
        : unmatched(unmatched.getFirst(), commandLine);
  }

  private static String unmatched(String argument, CommandLine commandLine) {
    CommandSpec command = commandLine.getCommandSpec();
    if (argument.startsWith("-")) {
      return option(argument.replaceFirst("=.*", ""), command);
    }
    List<String> commands =
        command.subcommands().entrySet().stream()
            .filter(each -> !each.getValue().getCommandSpec().usageMessage().hidden())
            .map(each -> each.getKey())
            .toList();
    return commands.isEmpty()
        ? "one argument too many: '" + argument + "'"
        : "unknown command '" + argument + "'" + question(Similar.of(argument, commands));
  }

  private static String option(String option, CommandSpec command) {
    return command.subcommands().values().stream()
            .anyMatch(each -> each.getCommandSpec().optionsMap().containsKey(option))
        ? "option '" + option + "' goes after its command"
        : "unknown option '"
            + option
            + "'"
            + question(Similar.of(option, command.optionsMap().keySet()));
  }

  private static String question(Optional<String> meant) {
    return meant.map(text -> "; did you mean '" + text + "'?").orElse("");
  }
}
