package io.github.vfio4j.generator;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import com.google.errorprone.annotations.FormatMethod;

/** Java source text in the making, indented by two spaces a level. */
final class Source {
  private final StringBuilder text = new StringBuilder();
  private int level;

  /** Adds lines at the current indentation. */
  @CanIgnoreReturnValue
  @FormatMethod
  Source line(String lines, Object... arguments) {
    for (String line : lines.formatted(arguments).split("\n", -1)) {
      text.append(line.isEmpty() ? "" : "  ".repeat(level)).append(line).append('\n');
    }
    return this;
  }

  @CanIgnoreReturnValue
  Source blank() {
    text.append('\n');
    return this;
  }

  @CanIgnoreReturnValue
  Source in() {
    level++;
    return this;
  }

  @CanIgnoreReturnValue
  Source out() {
    level--;
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
