package io.github.vfio4j.kerneltests.mock;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;

/** Every case of the kernel's own test of iommufd has its counterpart here. */
class SelftestCasesTest {
  private static final int CASES = 66;
  private static final String LIST = "selftest-cases.txt";
  private static final String SOURCE = "tools/testing/selftests/iommu/iommufd.c";
  private static final Pattern CASE = Pattern.compile("TEST_F\\((\\w+), (\\w+)\\)");

  private static final List<List<String>> lines = new ArrayList<>();

  @BeforeAll
  static void read() throws IOException {
    try (InputStream list =
        Objects.requireNonNull(SelftestCasesTest.class.getResourceAsStream(LIST))) {
      new String(list.readAllBytes(), UTF_8)
          .lines()
          .filter(line -> !line.isBlank() && !line.startsWith("#"))
          .forEach(line -> lines.add(List.of(line.split(" +", -1))));
    }
  }

  private static List<String> cases() {
    return lines.stream().map(List::getFirst).toList();
  }

  @Test
  void everyCaseIsListedOnce() {
    assertThat(cases()).hasSize(CASES).doesNotHaveDuplicates();
    assertThat(lines).allSatisfy(line -> assertThat(line).hasSizeGreaterThan(1));
  }

  @Test
  void newestSourceThatTheLabHasKnowsNoOtherCase() throws IOException {
    String cache =
        System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
    Path sources = Path.of(cache, "vfio4j", "source");
    assumeThat(sources).isDirectory();
    List<Path> unpacked;
    try (Stream<Path> entries = Files.list(sources)) {
      unpacked =
          entries
              .filter(entry -> entry.getFileName().toString().startsWith("linux-source-7."))
              .map(entry -> entry.resolve(SOURCE))
              .filter(Files::exists)
              .sorted()
              .toList();
    }
    assumeThat(unpacked).isNotEmpty();

    List<String> names =
        CASE.matcher(Files.readString(unpacked.getLast()))
            .results()
            .map(match -> match.group(1) + "." + match.group(2))
            .toList();

    assertThat(cases()).containsExactlyInAnyOrderElementsOf(names);
  }

  @Test
  void everyCounterpartIsATestOfAMachine() throws ReflectiveOperationException {
    for (List<String> line : lines) {
      if (line.get(1).equals("-")) {
        assertThat(line).as("the reason for %s", line.getFirst()).hasSizeGreaterThan(2);
        continue;
      }
      for (String counterpart : line.subList(1, line.size())) {
        assertThat(isTestOfAMachine(counterpart))
            .as("%s for %s", counterpart, line.getFirst())
            .isTrue();
      }
    }
  }

  private static boolean isTestOfAMachine(String counterpart) throws ClassNotFoundException {
    int dot = counterpart.indexOf('.');
    Class<?> type =
        Class.forName(
            SelftestCasesTest.class.getPackageName() + "." + counterpart.substring(0, dot));
    return type.isAnnotationPresent(OnMachine.class)
        && Arrays.stream(type.getDeclaredMethods())
            .filter(method -> method.getName().equals(counterpart.substring(dot + 1)))
            .anyMatch(SelftestCasesTest::isTest);
  }

  private static boolean isTest(Method method) {
    return method.isAnnotationPresent(Test.class)
        || method.isAnnotationPresent(ParameterizedTest.class);
  }
}
