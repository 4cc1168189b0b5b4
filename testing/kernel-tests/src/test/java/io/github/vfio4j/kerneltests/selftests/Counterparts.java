package io.github.vfio4j.kerneltests.selftests;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.opentest4j.TestAbortedException;

/** The list of the kernel's cases and of ours, in {@code selftest-cases.txt}. */
final class Counterparts {
  private static final String LIST = "selftest-cases.txt";

  /**
   * A line of the list.
   *
   * @param program the kernel's program
   * @param test its fixture and name
   * @param variants how many times the program runs it
   * @param counterpart class and method of ours, or a dash
   * @param reason why there is no counterpart
   */
  record Line(String program, String test, int variants, String counterpart, String reason) {
    private static Line parse(String text) {
      List<String> words = List.of(text.split(" +", 5));
      return new Line(
          words.get(0),
          words.get(1),
          Integer.parseInt(words.get(2)),
          words.get(3),
          words.size() > 4 ? words.get(4) : "");
    }

    /** Our case, if there is one. */
    Optional<Method> method() throws ReflectiveOperationException {
      if (counterpart.equals("-")) {
        return Optional.empty();
      }
      int dot = counterpart.indexOf('.');
      Class<?> type =
          Class.forName(Line.class.getPackageName() + "." + counterpart.substring(0, dot));
      return Optional.of(type.getDeclaredMethod(counterpart.substring(dot + 1), Variant.class));
    }
  }

  /**
   * How a case of ours ended.
   *
   * @param outcome the same in the kernel's words
   * @param why what it threw, if it failed
   */
  record Ended(Outcome outcome, Optional<Throwable> why) {}

  private Counterparts() {}

  static List<Line> all() throws IOException {
    try (InputStream list =
        Objects.requireNonNull(Counterparts.class.getResourceAsStream(LIST), LIST)) {
      return new String(list.readAllBytes(), UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .map(Line::parse)
          .toList();
    }
  }

  static Map<String, Line> of(String program) throws IOException {
    return all().stream()
        .filter(line -> line.program().equals(program))
        .collect(Collectors.toMap(Line::test, Function.identity()));
  }

  static Ended run(Method counterpart, Variant variant) throws IllegalAccessException {
    try {
      counterpart.invoke(null, variant);
      return new Ended(Outcome.PASSED, Optional.empty());
    } catch (InvocationTargetException e) {
      Throwable thrown = e.getCause();
      return new Ended(
          thrown instanceof TestAbortedException ? Outcome.SKIPPED : Outcome.FAILED,
          Optional.of(thrown));
    }
  }
}
