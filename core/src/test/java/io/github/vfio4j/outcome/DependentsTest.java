package io.github.vfio4j.outcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What was made from an object ends before it, whatever fails. */
class DependentsTest {
  private final Dependents dependents = new Dependents();
  private final Closing closing = new Closing();
  private final List<String> closed = new ArrayList<>();

  /** Adds something that can be closed, and leaves its owner then. */
  private void add(String name) {
    dependents.add(name, () -> end(name));
  }

  private void end(String name) {
    closed.add(name);
    dependents.remove(name);
  }

  private void addRefusing(String name) {
    dependents.add(
        name,
        () -> {
          closed.add(name + " refused");
          throw new VfioException("close", name, null, "");
        });
  }

  @Test
  void theYoungestEndsFirst() throws VfioException {
    add("table");
    add("nested");
    add("queue");

    assertThat(dependents.close(closing)).isTrue();

    closing.rethrow();
    assertThat(closed).containsExactly("queue", "nested", "table");
    assertThat(dependents.isEmpty()).isTrue();
  }

  @Test
  void whatCannotBeClosedStaysAndTheOthersEnd() {
    add("table");
    addRefusing("busy");
    add("queue");

    assertThat(dependents.close(closing)).isFalse();

    assertThatThrownBy(closing::rethrow).hasMessageContaining("close on busy");
    assertThat(closed).containsExactly("queue", "busy refused", "table");
    assertThat(dependents.contains("busy")).isTrue();
    assertThat(dependents.contains("table")).isFalse();
  }

  @Test
  void whatEndedWithAnotherIsNotClosedOnceMore() throws VfioException {
    add("made first");
    dependents.add(
        "made last",
        () -> {
          end("made first");
          end("made last");
        });

    assertThat(dependents.close(closing)).isTrue();

    closing.rethrow();
    assertThat(closed).containsExactly("made first", "made last");
  }

  @Test
  void oneThatIsFoundIsToldByWhatItIs() {
    add("table");

    assertThat(dependents.anyMatch("table"::equals)).isTrue();
    assertThat(dependents.anyMatch("queue"::equals)).isFalse();
  }

  @Test
  @Timeout(value = 20, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void anotherThreadMayAddWhileOneIsClosed() throws VfioException {
    dependents.add(
        "slow",
        () -> {
          Thread other = Thread.ofPlatform().start(() -> add("meanwhile"));
          try {
            other.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          end("slow");
        });

    assertThat(dependents.close(closing)).isFalse();

    closing.rethrow();
    assertThat(dependents.contains("meanwhile")).isTrue();
  }
}
