package io.github.vfio4j.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whether what is checked in is what the generator makes. */
@NeedsClang
class BindingsAreCurrentTest {

  private static final Path SOURCES = Path.of("../bindings/src/main/java");

  @Test
  void checkedInSourcesAreWhatTheGeneratorMakes() throws IOException {
    Map<String, String> made =
        Generate.sources("clang", Path.of(System.getenv().getOrDefault(NeedsClang.HEADERS, "")));
    Map<String, String> checkedIn = checkedIn();
    assumeTrue(
        kernel(made).equals(kernel(checkedIn)),
        "the headers are of another kernel than the bindings: run lab/bindings");

    assertThat(checkedIn.keySet()).isEqualTo(made.keySet());
    made.forEach((name, source) -> assertThat(checkedIn.get(name)).as(name).isEqualTo(source));
  }

  private static Map<String, String> checkedIn() throws IOException {
    Map<String, String> sources = new TreeMap<>();
    try (Stream<Path> files = Files.walk(SOURCES.resolve("io"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        sources.put(SOURCES.relativize(file).toString(), Files.readString(file));
      }
    }
    return sources;
  }

  private static String kernel(Map<String, String> sources) {
    return sources
        .getOrDefault("io/github/vfio4j/bindings/vfio_h.java", "")
        .lines()
        .filter(line -> line.contains("KERNEL_VERSION"))
        .findFirst()
        .orElse("");
  }
}
