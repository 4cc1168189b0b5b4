package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.vfio4j.kerneltests.selftests.Counterparts.Line;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every case of the kernel's own tests of VFIO has its counterpart here. */
class SelftestCasesTest {
  private static final int CASES = 141;
  private static final String SOURCES = "tools/testing/selftests/vfio";

  /**
   * A case; a fixture that gets variants by a macro of that name; the macro's use, for each mode; a
   * variant by itself.
   */
  private static final Pattern STATEMENT =
      Pattern.compile(
          "^TEST_F(?:_TIMEOUT)?\\((?<fixture>\\w+), (?<test>\\w+)"
              + "|^FIXTURE_VARIANT_ADD\\((?<inMacro>\\w+), _iommu_mode"
              + "|^(?<modes>FIXTURE_VARIANT_ADD_ALL_IOMMU_MODES)\\("
              + "|^FIXTURE_VARIANT_ADD\\((?<alone>\\w+), \\w+\\)",
          Pattern.MULTILINE);

  @Test
  void everyCaseIsListedOnce() throws IOException {
    List<Line> lines = Counterparts.all();

    assertThat(lines).extracting(Line::test).doesNotHaveDuplicates();
    assertThat(lines.stream().mapToInt(Line::variants).sum()).isEqualTo(CASES);
  }

  @Test
  void everyCounterpartIsThere() throws Exception {
    for (Line line : Counterparts.all()) {
      if (line.method().isPresent()) {
        assertThat(line.method().get().getModifiers() & Modifier.STATIC).isPositive();
        assertThat(line.reason()).as(line.test()).isEmpty();
      } else {
        assertThat(line.reason()).as(line.test()).isNotEmpty();
      }
    }
  }

  @Test
  void newestSourceThatTheLabHasKnowsNoOtherCase() throws IOException {
    String cache =
        System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
    Path trees = Path.of(cache, "vfio4j", "source");
    assumeThat(trees).isDirectory();
    List<Path> unpacked;
    try (Stream<Path> entries = Files.list(trees)) {
      unpacked =
          entries
              .filter(entry -> entry.getFileName().toString().startsWith("linux-source-7."))
              .map(entry -> entry.resolve(SOURCES))
              .filter(Files::exists)
              .sorted()
              .toList();
    }
    assumeThat(unpacked).isNotEmpty();

    Map<String, Integer> known = new TreeMap<>();
    try (Stream<Path> sources = Files.list(unpacked.getLast())) {
      for (Path source : sources.filter(file -> file.toString().endsWith("_test.c")).toList()) {
        String program = source.getFileName().toString().replace(".c", "");
        casesOf(Files.readString(source))
            .forEach((test, variants) -> known.put(program + " " + test, variants));
      }
    }
    assertThat(
            Counterparts.all().stream()
                .collect(
                    Collectors.toMap(line -> line.program() + " " + line.test(), Line::variants)))
        .isEqualTo(known);
  }

  /** The cases in a source, and in how many variants its program runs each. */
  private static Map<String, Integer> casesOf(String source) {
    Map<String, Integer> variants = new TreeMap<>();
    Map<String, String> fixtures = new TreeMap<>();
    String current = "";
    Matcher statement = STATEMENT.matcher(source);
    while (statement.find()) {
      if (statement.group("fixture") != null) {
        fixtures.put(
            statement.group("fixture") + "." + statement.group("test"), statement.group("fixture"));
      } else if (statement.group("inMacro") != null) {
        current = statement.group("inMacro");
      } else if (statement.group("modes") != null) {
        variants.merge(current, IommuMode.values().length, Integer::sum);
      } else {
        variants.merge(statement.group("alone"), 1, Integer::sum);
      }
    }
    return fixtures.entrySet().stream()
        .collect(
            Collectors.toMap(Map.Entry::getKey, test -> variants.getOrDefault(test.getValue(), 1)));
  }
}
