package io.github.vfio4j.cli.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Rows whose columns are aligned. Columns in which every cell is empty take no room. */
public final class Table {

  private static final String GAP = "  ";

  private final String indent;
  private final Set<Integer> rightAligned;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String indent, Integer... rightAligned) {
    this.indent = indent;
    this.rightAligned = Set.of(rightAligned);
  }

  public Table add(String... cells) {
    rows.add(Stream.of(cells).map(Printable::line).toList());
    return this;
  }

  public List<String> lines() {
    List<Integer> widths = new ArrayList<>();
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        if (i == widths.size()) {
          widths.add(0);
        }
        widths.set(i, Math.max(widths.get(i), row.get(i).length()));
      }
    }
    return rows.stream().map(row -> line(row, widths)).toList();
  }

  private String line(List<String> row, List<Integer> widths) {
    StringBuilder line = new StringBuilder(indent);
    for (int i = 0; i < row.size(); i++) {
      int width = widths.get(i);
      if (width > 0) {
        String padding = " ".repeat(width - row.get(i).length());
        line.append(rightAligned.contains(i) ? padding + row.get(i) : row.get(i) + padding);
        line.append(GAP);
      }
    }
    return line.toString().stripTrailing();
  }
}
