package io.github.vfio4j.kerneltests.random;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/** How often each call has succeeded, and with what else it has ended. */
final class Outcomes {
  private static final String SUCCESS = "";

  private final Map<Executable, Map<String, LongAdder>> counts = new ConcurrentHashMap<>();
  private final Map<Executable, Map<Class<? extends Throwable>, Throwable>> examples =
      new ConcurrentHashMap<>();

  void succeeded(Executable call) {
    count(call, SUCCESS);
  }

  void failed(Executable call, Throwable thrown) {
    count(call, thrown.getClass().getSimpleName());
    examples
        .computeIfAbsent(call, _ -> new ConcurrentHashMap<>())
        .putIfAbsent(thrown.getClass(), thrown);
  }

  private void count(Executable call, String outcome) {
    counts
        .computeIfAbsent(call, _ -> new ConcurrentHashMap<>())
        .computeIfAbsent(outcome, _ -> new LongAdder())
        .increment();
  }

  long calls() {
    return counts.values().stream()
        .flatMap(outcomes -> outcomes.values().stream())
        .mapToLong(LongAdder::sum)
        .sum();
  }

  /** How many different calls have succeeded. */
  long successful() {
    return counts.values().stream().filter(outcomes -> outcomes.containsKey(SUCCESS)).count();
  }

  /** What was thrown and is neither declared nor in the javadoc. */
  List<Undocumented> undocumented(Documented documented) throws IOException {
    List<Undocumented> found = new ArrayList<>();
    for (Map.Entry<Executable, Map<Class<? extends Throwable>, Throwable>> call :
        examples.entrySet()) {
      for (Throwable example : call.getValue().values()) {
        if (!isDeclared(call.getKey(), example)
            && !documented.includes(call.getKey(), example.getClass())) {
          found.add(new Undocumented(call.getKey(), example));
        }
      }
    }
    found.sort(Comparator.comparing(Undocumented::toString));
    return found;
  }

  private static boolean isDeclared(Executable call, Throwable thrown) {
    for (Class<?> declared : call.getExceptionTypes()) {
      if (declared.isInstance(thrown)) {
        return true;
      }
    }
    return false;
  }

  /** One line for each call: how often it succeeded, and how often it ended with what. */
  List<String> table() {
    Map<String, String> lines = new TreeMap<>();
    counts.forEach(
        (call, outcomes) -> {
          Map<String, LongAdder> failures = new TreeMap<>(outcomes);
          LongAdder successes = failures.remove(SUCCESS);
          lines.put(
              name(call),
              "%8s  %s %s"
                  .formatted(
                      successes == null ? "-" : successes,
                      name(call),
                      failures.isEmpty() ? "" : failures));
        });
    return List.copyOf(lines.values());
  }

  static String name(Executable call) {
    String parameters =
        Arrays.stream(call.getParameterTypes())
            .map(Class::getSimpleName)
            .collect(Collectors.joining(", ", "(", ")"));
    return call.getDeclaringClass().getSimpleName()
        + (call instanceof Constructor<?> ? "" : "." + call.getName())
        + parameters;
  }

  /**
   * An exception that a caller could not know of.
   *
   * @param call what threw it
   * @param thrown the first one
   */
  record Undocumented(Executable call, Throwable thrown) {
    @Override
    public String toString() {
      return name(call) + " threw " + thrown;
    }
  }
}
