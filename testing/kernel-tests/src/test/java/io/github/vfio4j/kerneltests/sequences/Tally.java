package io.github.vfio4j.kerneltests.sequences;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** How often which calls returned and how often they were refused, of all threads. */
final class Tally {
  private static final class Counts {
    private long returned;
    private long refused;
    private long nanos;
  }

  private final Map<String, Counts> kinds = new TreeMap<>();

  /** Counts a call, whose kind is the first word of its description. */
  synchronized void count(String what, @Nullable Exception thrown, long nanos) {
    Counts counts = kinds.computeIfAbsent(what.split(" ", 2)[0], _ -> new Counts());
    if (thrown == null) {
      counts.returned++;
    } else {
      counts.refused++;
    }
    counts.nanos += nanos;
  }

  synchronized long calls() {
    return kinds.values().stream().mapToLong(counts -> counts.returned + counts.refused).sum();
  }

  synchronized long refused() {
    return kinds.values().stream().mapToLong(counts -> counts.refused).sum();
  }

  /** A line for each kind. */
  synchronized List<String> table() {
    return kinds.entrySet().stream()
        .map(
            kind ->
                "%-16s %7d returned %7d refused %7d ms"
                    .formatted(
                        kind.getKey(),
                        kind.getValue().returned,
                        kind.getValue().refused,
                        kind.getValue().nanos / 1_000_000))
        .toList();
  }
}
