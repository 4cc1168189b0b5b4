package io.github.vfio4j.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Where the command advises itself: in one class, whose advice a test of the command carries out.
 */
class AdviceTest {
  private static final String HOME = "BindAdvice.java";

  /** A string with the name of the command before one of its own. */
  private static final Pattern ADVICE =
      Pattern.compile("\"[^\"]*\\bvfio4j (list|show|iommu|bind|unbind|doctor|demo)");

  @Test
  void comesFromOneClass() throws IOException {
    List<String> found = new ArrayList<>();
    for (String module : Build.modules()) {
      try (Stream<Path> files = Files.walk(Build.ROOT.resolve(module, "src/main/java"))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".java")).toList()) {
          if (Files.readString(file).lines().anyMatch(line -> ADVICE.matcher(line).find())) {
            found.add(file.getFileName().toString());
          }
        }
      }
    }
    assertThat(found).containsExactly(HOME);
  }
}
