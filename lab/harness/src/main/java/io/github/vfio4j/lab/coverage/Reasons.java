package io.github.vfio4j.lab.coverage;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Why parts of the interface cannot be exercised, by {@code reasons.txt}. */
final class Reasons {
  private record Reason(List<String> names, String text) {}

  private final List<Reason> reasons;

  private Reasons(List<Reason> reasons) {
    this.reasons = reasons;
  }

  static Reasons ofLab() {
    try (var reader =
        new BufferedReader(
            new InputStreamReader(
                Objects.requireNonNull(Reasons.class.getResourceAsStream("reasons.txt")),
                StandardCharsets.UTF_8))) {
      return parse(reader.lines().toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A reason is a line; the names that it holds for follow, indented. */
  static Reasons parse(List<String> lines) {
    List<Reason> reasons = new ArrayList<>();
    for (String line : lines) {
      if (line.startsWith(" ")) {
        reasons.getLast().names().add(line.strip());
      } else if (!line.isBlank() && !line.startsWith("#")) {
        reasons.add(new Reason(new ArrayList<>(), line.strip()));
      }
    }
    return new Reasons(reasons);
  }

  /** The names, in the order of the file. */
  List<String> names() {
    return reasons.stream().flatMap(reason -> reason.names().stream()).toList();
  }

  Optional<String> of(Row row) {
    return reasons.stream()
        .filter(reason -> reason.names().contains(row.name()))
        .map(Reason::text)
        .findFirst();
  }
}
