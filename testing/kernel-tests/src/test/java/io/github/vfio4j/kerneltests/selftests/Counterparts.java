package io.github.vfio4j.kerneltests.selftests;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.vfio4j.kerneltests.selftests.SelftestProgram.Case;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** The list of the kernel's cases and of ours, in {@code selftest-cases.txt}. */
public final class Counterparts {
  private static final String LIST = "selftest-cases.txt";

  /** What stands for each of the modes in the name of a variant. */
  static final String EACH_MODE = "MODE";

  /**
   * A line of the list.
   *
   * @param program the kernel's program
   * @param test its fixture and name
   * @param variants the names of the variants that the program runs it in
   * @param counterpart class and method of ours
   */
  record Line(String program, String test, List<String> variants, String counterpart) {
    private static Line parse(String text) {
      List<String> words = List.of(text.split(" +", -1));
      return new Line(
          words.get(0),
          words.get(1),
          Stream.of(words.get(2).split(",", -1)).flatMap(Line::variants).toList(),
          words.get(3));
    }

    private static Stream<String> variants(String word) {
      return word.startsWith(EACH_MODE)
          ? Arrays.stream(IommuMode.values()).map(mode -> word.replace(EACH_MODE, mode.text()))
          : Stream.of(word.equals("-") ? "" : word);
    }

    List<Case> cases() {
      return variants.stream().map(variant -> new Case(test, variant)).toList();
    }

    /** Our case. */
    Method method() throws ReflectiveOperationException {
      int dot = counterpart.indexOf('.');
      Class<?> type =
          Class.forName(Line.class.getPackageName() + "." + counterpart.substring(0, dot));
      return type.getDeclaredMethod(counterpart.substring(dot + 1), Variant.class);
    }
  }

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

  /** Those of all cases of a program. */
  public static List<Counterpart> of(String program)
      throws IOException, ReflectiveOperationException {
    List<Counterpart> counterparts = new ArrayList<>();
    for (Line line : all()) {
      if (line.program().equals(program)) {
        Method ours = line.method();
        line.cases().forEach(kernels -> counterparts.add(new Counterpart(kernels, ours)));
      }
    }
    return counterparts;
  }
}
