package io.github.vfio4j.cli.vm;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The terminal at the standard input, which hands on each key as it is typed, and echoes none,
 * until this is closed. Java cannot set that: {@code stty} does, and it is on any Linux.
 */
final class RawTerminal implements AutoCloseable {
  private static final String STTY = "stty";

  private final String before;

  private RawTerminal(String before) {
    this.before = before;
  }

  static RawTerminal enter() throws VfioException {
    RawTerminal terminal = new RawTerminal(stty("-g"));
    try {
      stty("raw", "-echo");
      return terminal;
    } catch (Throwable e) {
      try (terminal) {
        throw e;
      }
    }
  }

  @Override
  public void close() throws VfioException {
    stty(before);
  }

  /** Waits for its end also in a thread that was interrupted: the terminal is to be used again. */
  private static String stty(String... arguments) throws VfioException {
    List<String> command = new ArrayList<>(List.of(STTY));
    command.addAll(List.of(arguments));
    try {
      Process stty =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectErrorStream(true)
              .start();
      String told =
          new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (stty.onExit().join().exitValue() == 0) {
        return told;
      }
      throw new VfioException(STTY, "the terminal", null, told);
    } catch (IOException e) {
      throw e instanceof VfioException failure
          ? failure
          : new VfioException(STTY, "the terminal", null, String.valueOf(e.getMessage()));
    }
  }
}
