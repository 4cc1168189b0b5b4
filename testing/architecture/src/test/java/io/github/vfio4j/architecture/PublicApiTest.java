package io.github.vfio4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That the public API is what {@code docs/api} lists, so that no change of it goes unseen. */
class PublicApiTest {
  private static final boolean WRITE = Boolean.getBoolean("api.write");

  @ParameterizedTest
  @MethodSource("modules")
  void isAsListed(String module) throws IOException {
    Path list = Build.ROOT.resolve("docs/api", Path.of(module).getFileName() + ".txt");
    List<String> api = PublicApi.of(module);
    if (WRITE) {
      Files.write(list, api);
    }
    List<String> listed = Files.exists(list) ? Files.readAllLines(list) : List.of();
    assertThat(difference(listed, api))
        .as("The public API of %s has changed; if that is meant, run lab/api", module)
        .isEmpty();
  }

  /**
   * What has an API of its own: that of the bindings is the kernel's, and linux is for this build.
   */
  static Stream<String> modules() {
    return Build.publishedModules().stream()
        .filter(module -> !module.equals("bindings") && !module.equals("linux"));
  }

  private static List<String> difference(List<String> listed, List<String> found) {
    List<String> difference = new ArrayList<>();
    listed.stream()
        .filter(line -> !found.contains(line))
        .map("- "::concat)
        .forEach(difference::add);
    found.stream()
        .filter(line -> !listed.contains(line))
        .map("+ "::concat)
        .forEach(difference::add);
    return difference;
  }
}
