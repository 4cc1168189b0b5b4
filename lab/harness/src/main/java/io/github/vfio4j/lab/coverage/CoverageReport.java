package io.github.vfio4j.lab.coverage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes the table of what was exercised, and says what it lacks. */
public final class CoverageReport {
  private CoverageReport() {}

  /**
   * Reads the traces in {@code DIR/guests} and writes {@code DIR/kernel-coverage.md}. After a run
   * of all machines it prints what is wrong, one sentence a line: what has neither a call nor a
   * reason, and what was exercised in the table before and is no longer.
   *
   * @param arguments the directory; whether all machines ran, {@code complete} or {@code partial};
   *     the table as it was before
   * @throws IOException if something cannot be read or written
   */
  public static void main(String[] arguments) throws IOException {
    Path reports = Path.of(arguments[0]);
    boolean complete = arguments[1].equals("complete");
    Path before = Path.of(arguments[2]);
    List<KernelInterface> interfaces = KernelInterface.all();
    List<Row> rows = interfaces.stream().flatMap(each -> each.rows().stream()).toList();
    CoverageTable table =
        new CoverageTable(interfaces, Column.all(reports.resolve("guests"), rows), Reasons.ofLab());
    Files.write(reports.resolve("kernel-coverage.md"), table.lines(complete));
    if (complete) {
      table
          .complaints(Files.exists(before) ? Files.readAllLines(before) : List.of())
          .forEach(System.out::println);
    }
  }
}
