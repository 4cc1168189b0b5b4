package io.github.vfio4j.cli.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** A stream that this process was given; Java knows terminals of a console as a whole only. */
public enum StandardStream {
  INPUT(0),
  ERROR(2);

  private static final Pattern TERMINAL =
      Pattern.compile("/dev/(pts/\\d+|tty\\w*|hvc\\d+|console)");

  private final int fd;

  StandardStream(int fd) {
    this.fd = fd;
  }

  /** Returns whether a person is at the other end. */
  public boolean isTerminal() {
    return isTerminal(Path.of("/proc/self/fd/" + fd));
  }

  public static boolean isTerminal(Path link) {
    try {
      return TERMINAL.matcher(Files.readSymbolicLink(link).toString()).matches();
    } catch (IOException e) {
      return false; // then nobody is told too much
    }
  }
}
