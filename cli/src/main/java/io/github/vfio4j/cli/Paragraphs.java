package io.github.vfio4j.cli;

import java.io.PrintWriter;
import java.util.List;

/** Prints several texts with an empty line between them. */
final class Paragraphs {

  private final PrintWriter out;
  private boolean started;

  Paragraphs(PrintWriter out) {
    this.out = out;
  }

  void print(List<String> lines) {
    if (started) {
      out.println();
    }
    started = true;
    lines.forEach(out::println);
  }
}
