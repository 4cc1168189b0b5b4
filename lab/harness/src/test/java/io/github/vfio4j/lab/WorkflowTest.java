package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The forge's jobs are the boots of {@code lab/test}. */
class WorkflowTest {
  private static final Pattern BOOT = Pattern.compile("(?m)^  '(\\S+) (\\S+)'$");
  private static final Pattern JOB = Pattern.compile("\\{kernel: '(\\S+)', machine: (\\S+)}");

  @Test
  void hasAJobForEachBoot() throws IOException {
    List<String> boots = find(BOOT, Path.of("../test"));

    assertThat(boots).isNotEmpty();
    assertThat(find(JOB, Path.of("../../.github/workflows/lab.yml"))).isEqualTo(boots);
  }

  private static List<String> find(Pattern pattern, Path file) throws IOException {
    return pattern
        .matcher(Files.readString(file))
        .results()
        .map(match -> match.group(1) + " " + match.group(2))
        .toList();
  }
}
