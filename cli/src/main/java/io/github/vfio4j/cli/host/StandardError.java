package io.github.vfio4j.cli.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** Whether a person reads the standard error; Java knows it of a console as a whole only. */
public final class StandardError {

  private static final Pattern TERMINAL = Pattern.compile("/dev/(pts/\\d+|tty\\w*|console)");

  private StandardError() {}

  public static boolean isTerminal() {
    return isTerminal(Path.of("/proc/self/fd/2"));
  }

  public static boolean isTerminal(Path link) {
    try {
      return TERMINAL.matcher(Files.readSymbolicLink(link).toString()).matches();
    } catch (IOException e) {
      return false; // then nobody is told too much
    }
  }
}
