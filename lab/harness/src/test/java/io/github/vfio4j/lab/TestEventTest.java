package io.github.vfio4j.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.lab.TestEvent.Kind;
import org.junit.jupiter.api.Test;

class TestEventTest {
  @Test
  void survivesALineWhateverItsText() {
    var event =
        new TestEvent(Kind.FAILED, "[a:b]", "Some", "a\tb", 7, "first\n\tsecond\\n \\t\r\n\"'\n");

    String line = event.toLine();

    assertThat(line).doesNotContain("\n");
    assertThat(TestEvent.fromLine(line)).isEqualTo(event);
  }

  @Test
  void refusesAnotherLine() {
    assertThatIllegalArgumentException().isThrownBy(() -> TestEvent.fromLine("PASSED\tx"));
  }
}
