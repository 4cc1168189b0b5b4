package io.github.vfio4j.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What one benchmark showed.
 *
 * @param name the benchmark
 * @param java nanoseconds per operation of each round in Java
 * @param floor the same in C
 * @param ratios Java's round divided by the C round after it
 * @param bytes what one operation allocates on the Java heap, in the last round
 * @param javaLatencies of all operations of all rounds, where the benchmark is one of latency
 * @param floorLatencies the same in C
 */
record Result(
    String name,
    Samples java,
    Samples floor,
    Samples ratios,
    double bytes,
    Samples javaLatencies,
    Samples floorLatencies) {
  static final String HEAD =
      "benchmark                      Java            C  Java - C   Java/C  (quartiles)  bytes";

  static final String MARKDOWN_HEAD =
      """
      | benchmark | Java | C | Java − C | Java / C | quartiles | bytes |
      |---|--:|--:|--:|--:|--:|--:|
      """;

  static final String LATENCIES_HEAD =
      """
      | benchmark | p50 | p99 | p99.9 | p99.99 | C: p50 | p99 | p99.9 | p99.99 |
      |---|--:|--:|--:|--:|--:|--:|--:|--:|
      """;

  private static final List<Double> SHARES = List.of(0.5, 0.99, 0.999, 0.9999);
  private static final double LOWER_QUARTER = 0.25;
  private static final double UPPER_QUARTER = 0.75;

  /** Returns a line of the table under {@link #HEAD}. */
  String forPeople() {
    return line("%-22s %12.1f %12.1f %10.1f %8.3f %7.3f-%.3f %6.1f");
  }

  double difference() {
    return java.median() - floor.median();
  }

  /** Returns a line of the table under {@link #MARKDOWN_HEAD}. */
  String forMarkdown() {
    return line("| `%s` | %.1f | %.1f | %.1f | %.3f | %.3f–%.3f | %.1f |%n").replace("NaN", "");
  }

  /** Returns a line of the table under {@link #LATENCIES_HEAD}. */
  String latenciesForMarkdown() {
    return Stream.of(javaLatencies, floorLatencies)
        .flatMap(side -> SHARES.stream().map(share -> side.isEmpty() ? "" : whole(side, share)))
        .collect(Collectors.joining(" | ", "| `" + name + "` | ", " |\n"));
  }

  private static String whole(Samples latencies, double share) {
    return String.format(Locale.ROOT, "%.0f", latencies.quantile(share));
  }

  /** Returns an object of JSON. */
  String forPrograms() {
    return line("{\"name\": \"%s\", \"java\": %.2f, \"c\": %.2f, \"difference\": %.2f, \"ratio\": %.4f,"
            + " \"quartiles\": [%.4f, %.4f], \"bytes\": %.2f}")
        .replace("NaN", "null");
  }

  private String line(String format) {
    return String.format(
        Locale.ROOT,
        format,
        name,
        java.median(),
        floor.median(),
        difference(),
        java.median() / floor.median(),
        ratios.quantile(LOWER_QUARTER),
        ratios.quantile(UPPER_QUARTER),
        bytes);
  }
}
