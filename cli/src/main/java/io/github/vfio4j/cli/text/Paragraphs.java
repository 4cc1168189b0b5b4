package io.github.vfio4j.cli.text;

import java.io.PrintWriter;
import java.util.List;

/** Prints several texts with an empty line between them. */
public final class Paragraphs {

  private final PrintWriter out;
  private boolean started;

  public Paragraphs(PrintWriter out) {
    this.out = out;
  }

  public void print(List<String> lines) {
    if (started) {
      out.println();
    }
    started = true;
    lines.forEach(out::println);
  }
}
