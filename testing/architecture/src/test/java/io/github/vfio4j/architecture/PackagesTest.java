package io.github.vfio4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** That packages can be taken in: not too large, and each with its map. */
class PackagesTest {
  private static final int MOST_TYPES = 40;
  private static final Pattern JAVADOC =
      Pattern.compile("/\\*\\*[\\s*]*\\w.*?\\*/", Pattern.DOTALL);

  @Test
  void areOfASizeToTakeIn() throws IOException {
    for (String module : Build.modules()) {
      if (!module.equals("bindings")) { // a type for each of the kernel's structures
        assertThat(packages(module)).allSatisfy(PackagesTest::isOfASizeToTakeIn);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("io.github.vfio4j.architecture.Build#publishedModules")
  void haveAMap(String module) throws IOException {
    assertThat(packages(module)).isNotEmpty().allSatisfy(PackagesTest::hasAMap);
  }

  private static void isOfASizeToTakeIn(Path folder) throws IOException {
    assertThat(sources(folder).stream().filter(file -> !file.endsWith("package-info.java")))
        .as("types of %s", folder)
        .hasSizeLessThanOrEqualTo(MOST_TYPES);
  }

  private static void hasAMap(Path folder) throws IOException {
    Path map = folder.resolve("package-info.java");
    assertThat(map).exists().content().containsPattern(JAVADOC);
  }

  /** Returns the folders of a module's packages. */
  private static List<Path> packages(String module) throws IOException {
    try (Stream<Path> files = Files.walk(Build.ROOT.resolve(module, "src/main/java/io"))) {
      return files.filter(PackagesTest::isSource).map(Path::getParent).distinct().toList();
    }
  }

  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(PackagesTest::isSource).toList();
    }
  }

  private static boolean isSource(Path file) {
    return file.toString().endsWith(".java");
  }
}
