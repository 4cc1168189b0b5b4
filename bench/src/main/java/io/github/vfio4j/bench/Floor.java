package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A C program that does what a workload does.
 *
 * @param command the program and its arguments
 */
record Floor(List<String> command) {
  static Floor of(Path programs, Benchmark benchmark) {
    List<String> command = new ArrayList<>(benchmark.floor());
    command.set(0, programs.resolve(benchmark.floor().getFirst()).toString());
    return of(command, benchmark.operations());
  }

  /** A program whose last argument is how many operations there are. */
  static Floor of(List<String> command, int operations) {
    List<String> whole = new ArrayList<>(command);
    whole.add(Integer.toString(operations));
    return new Floor(List.copyOf(whole));
  }

  /** Runs it. Its first line is the nanoseconds of one operation, others are latencies. */
  Round run() throws IOException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
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
    double[] figures = output.lines().mapToDouble(Double::parseDouble).toArray();
    return new Round(figures[0], new Samples(Arrays.copyOfRange(figures, 1, figures.length)));
  }
}
