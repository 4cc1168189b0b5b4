package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * What one benchmark showed.
 *
 * @param name the benchmark
 * @param java nanoseconds per operation of each round in Java
 * @param floor the same in C
 * @param ratios Java's round divided by the C round after it
 * @param bytes what one operation allocates on the Java heap, in the last round
 */
record Result(String name, Samples java, Samples floor, Samples ratios, double bytes) {
  static final String HEAD =
      "benchmark                  Java            C  Java - C   Java/C  (quartiles)  bytes";

  private static final double LOWER_QUARTER = 0.25;
  private static final double UPPER_QUARTER = 0.75;

  /** Returns a line of the table under {@link #HEAD}. */
  String forPeople() {
    return String.format(
        Locale.ROOT,
        "%-18s %12.1f %12.1f %10.1f %8.3f %7.3f-%.3f %6.1f",
        name,
        java.median(),
        floor.median(),
        java.median() - floor.median(),
        java.median() / floor.median(),
        ratios.quantile(LOWER_QUARTER),
        ratios.quantile(UPPER_QUARTER),
        bytes);
  }

  /** Adds the same to a file, as comma-separated values. */
  void appendTo(Path file) throws IOException {
    String line =
        String.format(
            Locale.ROOT,
            "%s,%.2f,%.2f,%.2f,%.4f,%.4f,%.4f,%.2f%n",
            name,
            java.median(),
            floor.median(),
            java.median() - floor.median(),
            java.median() / floor.median(),
            ratios.quantile(LOWER_QUARTER),
            ratios.quantile(UPPER_QUARTER),
            bytes);
    Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
