package io.github.vfio4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That {@code docs/command.md} has each field that the command prints as JSON. */
class JsonFieldsTest {
  private static final Path COMMAND = Build.ROOT.resolve("cli/src/main/java");
  private static final Path CONFIGURATION =
      COMMAND.resolve("io/github/vfio4j/cli/show/ConfigJson.java");
  private static final Pattern FIELD = Pattern.compile("\\.with\\(\\s*\"([^\"]+)\"");
  private static final Pattern KIND = Pattern.compile("\\.with\\(\\s*\"kind\",\\s*\"([^\"]+)\"");
  private static final Pattern KIND_OF_CAPABILITY = Pattern.compile("Capability _ -> \"([^\"]+)\"");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  private static Set<String> found(Pattern pattern, Path... sources) throws IOException {
    Set<String> found = new TreeSet<>();
    for (Path source : sources) {
      pattern.matcher(Files.readString(source)).results().forEach(one -> found.add(one.group(1)));
    }
    return found;
  }

  private static Path[] sources() throws IOException {
    try (Stream<Path> files = Files.walk(COMMAND)) {
      return files.filter(file -> file.toString().endsWith(".java")).toArray(Path[]::new);
    }
  }

  private static Set<String> documented() throws IOException {
    String page = Files.readString(Build.ROOT.resolve("docs/command.md"));
    int start = page.indexOf("\n## JSON\n");
    String section = page.substring(start, page.indexOf("\n## ", start + 1));
    Set<String> words = new TreeSet<>();
    CODE.matcher(section).results().forEach(one -> words.add(one.group(1).replace("[]", "")));
    return words;
  }

  @Test
  void eachFieldIsDocumented() throws IOException {
    Set<String> fields = found(FIELD, sources());
    assertThat(fields).contains("iommuGroup", "latencyNanoseconds").hasSizeGreaterThan(100);
    assertThat(documented()).containsAll(fields);
  }

  @Test
  void eachKindIsDocumented() throws IOException {
    Set<String> kinds = found(KIND, sources());
    kinds.addAll(found(KIND_OF_CAPABILITY, CONFIGURATION));
    assertThat(kinds).contains("nvlink2Speed", "powerManagement", "vendor");
    assertThat(documented()).containsAll(kinds);
  }
}
