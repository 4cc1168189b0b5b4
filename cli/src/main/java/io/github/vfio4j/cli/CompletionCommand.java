package io.github.vfio4j.cli;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.ExitStatus;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Spec;

/** Prints what has bash complete commands, options and the addresses of devices. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Prints a script that has bash complete commands, options and addresses.",
    description = "%nTo be put into ~/.bashrc:  source <(vfio4j completion)",
    optionListHeading = "%nOptions:%n")
final class CompletionCommand implements Callable<Integer> {

  /**
   * A colon ends a word for bash, which then wants only what comes after the last one. Names are
   * compared here: {@code compgen -W} would carry out commands in them.
   */
  private static final String SCRIPT =
      """
      # Completes the arguments of vfio4j. Made by: vfio4j completion
      _vfio4j() {
        local line=${COMP_LINE:0:COMP_POINT} words=() word command='' each known=() devices=''
        read -ra words <<<"$line"
        if [[ $line == *[[:space:]] ]]; then words+=(''); fi
        word=${words[-1]}
        for each in "${words[@]:1:${#words[@]}-2}"; do
          if [[ $each != -* ]]; then
            command+=${command:+ }$each
            case $command in PARENTS) ;; *) break ;; esac
          fi
        done
        case $command in
      ARMS
        esac
        for each in $devices; do
          if [[ ! -e $each ]]; then continue; fi
          each=${each##*/}
          if [[ $word == ??:* ]]; then each=${each#0000:}; fi
          known+=("$each")
        done
        COMPREPLY=()
        for each in "${known[@]}"; do
          if [[ $each == "$word"* ]]; then COMPREPLY+=("$each"); fi
        done
        if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
          COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
        fi
      }
      complete -F _vfio4j vfio4j
      """;

  private final CommandHost host;

  @Spec private CommandSpec spec = CommandSpec.create();

  CompletionCommand(CommandHost host) {
    this.host = host;
  }

  @Override
  public Integer call() {
    CommandSpec vfio4j = spec.parent();
    Map<String, CommandLine> commands = vfio4j.subcommands();
    String names = String.join(" ", commands.keySet());
    String cases =
        commands.entrySet().stream()
            .flatMap(each -> arms(each.getKey(), each.getValue(), names))
            .collect(Collectors.joining("\n"));
    String parents =
        commands.entrySet().stream()
            .filter(each -> !each.getValue().getSubcommands().isEmpty())
            .map(Map.Entry::getKey)
            .collect(Collectors.joining("|"));
    String first = arm("''", "known=(" + names + " " + options(vfio4j) + ")");
    SCRIPT
        .replace("PARENTS", parents)
        .replace("ARMS", first + "\n" + cases)
        .lines()
        .forEach(host.out()::println);
    return ExitStatus.DONE;
  }

  /** One for the command, and one for each of those that belong to it. */
  private static Stream<String> arms(String name, CommandLine command, String names) {
    CommandSpec spec = command.getCommandSpec();
    Map<String, CommandLine> own = command.getSubcommands();
    return own.isEmpty()
        ? Stream.of(arm("'" + name + "'", words(spec, names)))
        : Stream.concat(
            Stream.of(
                arm(
                    "'" + name + "'",
                    "known=(" + String.join(" ", own.keySet()) + " " + options(spec) + ")")),
            own.entrySet().stream()
                .flatMap(each -> arms(name + " " + each.getKey(), each.getValue(), names)));
  }

  private static String arm(String pattern, String assignments) {
    return "    " + pattern + ") " + assignments + " ;;";
  }

  private static String words(CommandSpec command, String names) {
    List<PositionalParamSpec> parameters = command.positionalParameters();
    if (parameters.isEmpty()) {
      return "known=(" + options(command) + ")";
    }
    PositionalParamSpec parameter = parameters.getFirst();
    if (parameter.paramLabel().equals("COMMAND")) {
      return "known=(" + names + " " + options(command) + ")";
    }
    if (parameter.paramLabel().equals("PARENT")) {
      return "known=(" + options(command) + ") devices='/sys/class/mdev_bus/*'";
    }
    if (parameter.paramLabel().equals("UUID")) {
      return "known=(" + options(command) + ") devices='/sys/bus/mdev/devices/*'";
    }
    boolean pci = List.of(parameter.auxiliaryTypes()).contains(PciAddress.class);
    return "known=("
        + options(command)
        + ") devices='"
        + (pci ? "" : "/sys/bus/mdev/devices/* ")
        + "/sys/bus/pci/devices/*'";
  }

  private static String options(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.hidden())
        .map(OptionSpec::longestName)
        .collect(Collectors.joining(" "));
  }
}
