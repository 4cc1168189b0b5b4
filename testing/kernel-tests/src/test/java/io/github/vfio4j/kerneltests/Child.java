package io.github.vfio4j.kerneltests;

import io.github.vfio4j.lab.GuestRunner;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Another JVM with the same class path, perhaps of another user or with other limits. */
public final class Child implements AutoCloseable {
  /**
   * Nobody, who may read all files, or the JVM could not be loaded from where it lies, but opens
   * for writing only what is nobody's, and has no right to lock memory beyond the limit.
   */
  public static final List<String> AS_NOBODY =
      List.of(
          "setpriv",
          "--reuid=65534",
          "--regid=65534",
          "--clear-groups",
          "--inh-caps=-all,+dac_read_search",
          "--ambient-caps=-all,+dac_read_search",
          "--bounding-set=-all,+dac_read_search");

  private final Process process;
  private final BufferedReader output;

  private Child(Process process) {
    this.process = process;
    this.output = process.inputReader();
  }

  /** Starts the main method of a class, behind the words that make it another user. */
  public static Child start(List<String> prefix, Class<?> program, String... arguments)
      throws IOException {
    var command = new ArrayList<>(prefix);
    command.addAll(thisJvm());
    return start(command, program.getName(), arguments);
  }

  /** Starts the main method of a class whose calls to the kernel are in no trace. */
  public static Child startUntraced(Class<?> program, String... arguments) throws IOException {
    var command = new ArrayList<>(thisJvm());
    command.removeIf(word -> word.startsWith("-Dio.github.vfio4j.trace="));
    return start(command, program.getName(), arguments);
  }

  private static Child start(List<String> command, String program, String... arguments)
      throws IOException {
    command.add(program);
    command.addAll(List.of(arguments));
    return new Child(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** What this JVM was started with, but for its main class and that one's arguments. */
  private static List<String> thisJvm() throws IOException {
    List<String> words = List.of(Files.readString(Path.of("/proc/self/cmdline")).split("\0"));
    return words.subList(0, words.indexOf(GuestRunner.class.getName()));
  }

  public long pid() {
    return process.pid();
  }

  /** The next line it prints. */
  public String line() throws IOException {
    return Objects.requireNonNull(output.readLine(), "the child has ended");
  }

  /** Gives it the line of input that it waits for. */
  public void goOn() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }

  /** Ends it at once, as a crash would. */
  public void kill() {
    process.destroyForcibly();
  }

  /** Everything that it prints until it ends. */
  public List<String> lines() {
    return output.lines().toList();
  }

  /** Ends its input, for which it may wait, and waits for its end. */
  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    output.close();
  }
}
