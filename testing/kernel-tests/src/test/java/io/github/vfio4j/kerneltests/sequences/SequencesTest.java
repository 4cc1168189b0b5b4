package io.github.vfio4j.kerneltests.sequences;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.kerneltests.Child;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Two minutes of {@link Sequences}; {@code lab/random --sequences} makes more. They are in no
 * trace, since what races ask of the kernel is not always the same.
 */
class SequencesTest {
  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  @OnMachine("intel/scalable")
  void everyResultIsWhatTheModelSays() throws IOException {
    try (Child child = Child.startUntraced(Sequences.class, "120", "1")) {
      List<String> lines = child.lines();

      assertThat(lines.getLast())
          .as("%s", String.join("\n", lines))
          .matches("seeds 1 to \\d+: \\d{3,} calls in sequence.* and \\d{3,} in races.* says");
    }
  }
}
