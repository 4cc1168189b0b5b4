package io.github.vfio4j.kerneltests.selftests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.vfio4j.kerneltests.selftests.Counterparts.Line;
import io.github.vfio4j.kerneltests.selftests.SelftestProgram.Case;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
              + "|^FIXTURE_VARIANT_ADD_ALL_IOMMU_MODES\\((?<modes>\\w*)"
              + "|^FIXTURE_VARIANT_ADD\\((?<in>\\w+), (?<alone>\\w+)\\)",
          Pattern.MULTILINE);

  private static final Pattern MODE =
      Pattern.compile("^FIXTURE_VARIANT_ADD_IOMMU_MODE\\((\\w+),", Pattern.MULTILINE);

  /** Each case by its program, its own name, and that of its variant. */
  private static List<String> listed() throws IOException {
    return Counterparts.all().stream()
        .flatMap(line -> line.cases().stream().map(kernels -> line.program() + " " + kernels))
        .toList();
  }

  @Test
  void everyCaseIsListedOnce() throws IOException {
    assertThat(listed()).hasSize(CASES).doesNotHaveDuplicates();
  }

  @Test
  void everyCaseHasItsCounterpart() throws Exception {
    Set<Method> counterparts = new HashSet<>();
    for (Line line : Counterparts.all()) {
      Method ours = line.method();
      assertThat(ours.getModifiers() & Modifier.STATIC).as("%s is static", ours).isPositive();
      assertThat(counterparts.add(ours)).as("%s is for one case alone", ours).isTrue();
    }
  }

  @Test
  void newestSourceThatTheLabHasKnowsNoOtherCase() throws IOException {
    Path tree = newestTree();
    List<String> known = new ArrayList<>();
    try (Stream<Path> sources = Files.list(tree)) {
      for (Path source : sources.filter(file -> file.toString().endsWith("_test.c")).toList()) {
        String program = source.getFileName().toString().replace(".c", "");
        casesOf(Files.readString(source)).forEach(kernels -> known.add(program + " " + kernels));
      }
    }

    assertThat(listed()).containsExactlyInAnyOrderElementsOf(known);
  }

  @Test
  void newestSourceThatTheLabHasKnowsNoOtherMode() throws IOException {
    String header = Files.readString(newestTree().resolve("lib/include/libvfio/iommu.h"));

    assertThat(MODE.matcher(header).results().map(mode -> mode.group(1)))
        .containsExactlyElementsOf(Stream.of(IommuMode.values()).map(IommuMode::text).toList());
  }

  private static Path newestTree() throws IOException {
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
    return unpacked.getLast();
  }

  /** The cases in a source, in all variants that its program runs them in. */
  private static List<Case> casesOf(String source) {
    Map<String, List<String>> variants = new HashMap<>();
    List<Case> withoutVariants = new ArrayList<>();
    String current = "";
    Matcher statement = STATEMENT.matcher(source);
    while (statement.find()) {
      if (statement.group("fixture") != null) {
        withoutVariants.add(
            new Case(statement.group("fixture") + "." + statement.group("test"), ""));
      } else if (statement.group("inMacro") != null) {
        current = statement.group("inMacro");
      } else if (statement.group("modes") != null) {
        String rest = statement.group("modes");
        for (IommuMode mode : IommuMode.values()) {
          add(variants, current, rest.isEmpty() ? mode.text() : mode.text() + "_" + rest);
        }
      } else {
        add(variants, statement.group("in"), statement.group("alone"));
      }
    }
    return withoutVariants.stream()
        .flatMap(
            kernels ->
                variants.getOrDefault(kernels.test().replaceAll("\\..*", ""), List.of("")).stream()
                    .map(variant -> new Case(kernels.test(), variant)))
        .toList();
  }

  private static void add(Map<String, List<String>> variants, String fixture, String variant) {
    variants.computeIfAbsent(fixture, _ -> new ArrayList<>()).add(variant);
  }
}
