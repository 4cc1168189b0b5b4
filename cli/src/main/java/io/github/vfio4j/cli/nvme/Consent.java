package io.github.vfio4j.cli.nvme;

import java.io.Console;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Asks a person before what is on a disk gets lost. */
final class Consent {
  @Option(names = "--yes", description = "Do not ask.")
  private boolean yes;

  /** Refuses to go on where nobody can be asked, before a device is opened. */
  void require(CommandLine command) {
    if (!yes && person().isEmpty()) {
      throw new ParameterException(
          command, "what is on the disk would be lost, and nobody can be asked: --yes");
    }
  }

  /**
   * Asks, unless that was answered on the command line.
   *
   * @param what will be done
   */
  boolean given(String what) {
    return yes
        || person()
            .map(console -> console.readLine("%s? What is there is lost. [y/N] ", what))
            .filter(answer -> answer.strip().equalsIgnoreCase("y"))
            .isPresent();
  }

  private static Optional<Console> person() {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal);
  }
}
