package io.github.vfio4j.cli;

import io.github.vfio4j.cli.host.ExitStatus;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** Shows what {@code --help} shows. */
@Command(
    name = "help",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Shows how a command is used, as its --help does.",
    parameterListHeading = "%n",
    optionListHeading = "%nOptions:%n")
final class HelpCommand implements Callable<Integer> {

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..1",
      description = "A command; without it, all are listed.")
  private @Nullable String name;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    CommandLine vfio4j = spec.parent().commandLine();
    CommandLine asked = name == null ? vfio4j : vfio4j.getSubcommands().get(name);
    if (asked == null) {
      throw new UnmatchedArgumentException(vfio4j, List.of(String.valueOf(name)));
    }
    asked.usage(asked.getOut());
    return ExitStatus.DONE;
  }
}
