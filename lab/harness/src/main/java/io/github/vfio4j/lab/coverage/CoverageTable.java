package io.github.vfio4j.lab.coverage;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which parts of the kernel's interface were exercised where.
 *
 * @param interfaces the rows
 * @param columns the machines
 * @param reasons why some rows have no call
 */
record CoverageTable(List<KernelInterface> interfaces, List<Column> columns, Reasons reasons) {
  private static final String UNEXPLAINED = "**not exercised, and nobody says why**";

  /** A written row: an operation or a constant, the counts, and the reason. */
  private static final Pattern ROW =
      Pattern.compile("\\| (?:\\*\\*(.+)\\*\\*|`(.+)`) \\|(.*)\\|[^|]*\\|");

  boolean isExercised(Row row) {
    return columns.stream().anyMatch(column -> column.count(row) > 0);
  }

  private List<Row> rows() {
    return interfaces.stream().flatMap(each -> each.rows().stream()).toList();
  }

  /**
   * What is wrong with a run of all machines, one sentence each.
   *
   * @param before the table as it was written before
   */
  List<String> complaints(List<String> before) {
    List<String> complaints = new ArrayList<>();
    Set<String> exercisedBefore = exercised(before);
    for (Row row : rows()) {
      boolean explained = reasons.of(row).isPresent();
      if (isExercised(row)) {
        if (explained) {
          complaints.add(
              "coverage: " + describe(row) + " is exercised, and reasons.txt says why not");
        }
      } else if (exercisedBefore.contains(row.key())) {
        complaints.add("coverage lost: no machine exercises " + describe(row) + " any more");
      } else if (!explained) {
        complaints.add(
            "coverage: no machine exercises "
                + describe(row)
                + ", and reasons.txt does not say why");
      }
    }
    return complaints;
  }

  private static String describe(Row row) {
    return row.constant().isEmpty() ? row.operation() : row.constant() + " of " + row.operation();
  }

  /** Writes the table. */
  List<String> lines(boolean complete) {
    List<String> lines = new ArrayList<>();
    lines.add("# Kernel coverage");
    lines.add("");
    lines.add(
        "Made by `lab/test` from the traces of "
            + (complete ? "all" : "some")
            + " machines; `lab/coverage` puts it here. A number is how many");
    lines.add(
        "calls of the tests succeeded that used an ioctl, a flag or a value, on that kernel and machine. Calls");
    lines.add(
        "that were meant to be refused are not counted. Where nothing was exercised the last column says why.");
    for (KernelInterface each : interfaces) {
      lines.add("");
      lines.add("## " + each.header());
      lines.add("");
      StringBuilder head = new StringBuilder("| |");
      StringBuilder rule = new StringBuilder("|---|");
      for (Column column : columns) {
        head.append(' ').append(column.title()).append(" |");
        rule.append("--:|");
      }
      lines.add(head + " why not |");
      lines.add(rule + "---|");
      each.rows().forEach(row -> lines.add(line(row, complete)));
    }
    return lines;
  }

  private String line(Row row, boolean complete) {
    StringBuilder line = new StringBuilder("| ");
    line.append(
        row.constant().isEmpty() ? "**" + row.operation() + "**" : "`" + row.constant() + "`");
    line.append(" |");
    for (Column column : columns) {
      int count = column.count(row);
      line.append(count == 0 ? "" : " " + count).append(" |");
    }
    if (!isExercised(row)) {
      line.append(' ').append(reasons.of(row).orElse(complete ? UNEXPLAINED : ""));
    }
    return line.toString().stripTrailing() + " |";
  }

  /** The keys of the rows that have a number in a table that was written before. */
  static Set<String> exercised(List<String> table) {
    Set<String> keys = new HashSet<>();
    String operation = "";
    for (String line : table) {
      Matcher row = ROW.matcher(line);
      if (row.matches()) {
        String constant = row.group(2) == null ? "" : row.group(2);
        if (row.group(1) != null) {
          operation = row.group(1);
        }
        if (row.group(3).matches(".*\\d.*")) {
          keys.add(operation + " " + constant);
        }
      }
    }
    return keys;
  }
}
