package io.github.vfio4j.lab.coverage;

import io.github.vfio4j.lab.KernelRelease;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a machine's kernel was asked successfully.
 *
 * @param kernel the version that was asked for
 * @param machine the machine, with its variant
 * @param counts how many calls used a row, by its key
 */
record Column(String kernel, String machine, Map<String, Integer> counts) {
  private static final String TRACE = "ioctls";
  private static final Pattern MACHINE = Pattern.compile("LAB_MACHINE=(\\S+)");
  private static final Pattern KERNEL = Pattern.compile("LAB_KERNEL=(\\S+)");

  /** Reads the traces of all guests, the newest kernel first. */
  static List<Column> all(Path guests, List<Row> rows) throws IOException {
    List<Column> columns = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(guests)) {
      for (Path guest : entries) {
        if (Files.exists(guest.resolve(TRACE))) {
          columns.add(of(guest, rows));
        }
      }
    }
    columns.sort(
        Comparator.comparing((Column column) -> KernelRelease.parse(column.kernel))
            .reversed()
            .thenComparing(Column::machine));
    return columns;
  }

  private static Column of(Path guest, List<Row> rows) throws IOException {
    String environment = Files.readString(guest.resolve("environment"));
    Map<String, Integer> counts = new HashMap<>();
    try (var lines = Files.lines(guest.resolve(TRACE), StandardCharsets.ISO_8859_1)) {
      lines.forEach(line -> count(line, rows, counts));
    }
    return new Column(value(KERNEL, environment), value(MACHINE, environment), counts);
  }

  private static void count(String line, List<Row> rows, Map<String, Integer> counts) {
    TracedCall call = new TracedCall(line);
    if (call.succeeded()) {
      for (Row row : rows) {
        if (row.isUsedBy().test(call)) {
          counts.merge(row.key(), 1, Integer::sum);
        }
      }
    }
  }

  private static String value(Pattern pattern, String environment) {
    Matcher matcher = pattern.matcher(environment);
    if (!matcher.find()) {
      throw new IllegalArgumentException("an environment without " + pattern);
    }
    return matcher.group(1);
  }

  /** What people call it. */
  String title() {
    return kernel + " " + machine;
  }

  int count(Row row) {
    return counts.getOrDefault(row.key(), 0);
  }
}
