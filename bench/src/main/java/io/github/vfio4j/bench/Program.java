package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A program that measures, of ours in C or another JVM. Its first line is the nanoseconds of one
 * operation, others are latencies.
 *
 * @param command the program and its arguments, to which the number of operations is added
 */
record Program(List<String> command) {
  /** Runs it. */
  Round run(int operations) throws IOException {
    double[] figures =
        output(Integer.toString(operations)).lines().mapToDouble(Double::parseDouble).toArray();
    return new Round(figures[0], new Samples(Arrays.copyOfRange(figures, 1, figures.length)));
  }

  /** Runs it with more arguments, and returns what it prints. */
  String output(String... more) throws IOException {
    List<String> whole = new ArrayList<>(command);
    whole.addAll(List.of(more));
    Process process =
        new ProcessBuilder(whole).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("%s ended with status %d".formatted(command, process.exitValue()));
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException(command + " was interrupted", e);
    }
    return output;
  }
}
