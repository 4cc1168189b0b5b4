package io.github.vfio4j.edu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReadmeTest {
  @Test
  void showsTheExampleThatIsCompiledHere() throws IOException {
    String source =
        Files.readString(Path.of("src/test/java/io/github/vfio4j/edu/ReadmeExample.java"));
    String example = source.split("    // README\n", -1)[1].indent(-4);

    assertThat(Files.readString(Path.of("../../README.md")))
        .contains("```java\n" + example + "```");
  }
}
