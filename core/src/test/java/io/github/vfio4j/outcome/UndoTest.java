package io.github.vfio4j.outcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a {@link Rollback} undoes, and when. */
class UndoTest {
  private final List<String> undone = new ArrayList<>();

  static List<Throwable> everyKindOfFailure() {
    return List.of(
        failure("refused"),
        new IllegalStateException("closed"),
        new InternalError("a fault in a recent memory access"),
        new LinkageError("not linked"));
  }

  private static VfioException failure(String what) {
    return new VfioException("test", what, null, "");
  }

  /** Carries out three steps, and fails then unless there is nothing to throw. */
  private String threeSteps(Throwable failure) throws Throwable {
    try (Rollback rollback = new Rollback()) {
      for (String step : List.of("first", "second", "third")) {
        rollback.add(() -> undone.add(step));
      }
      throw failure;
    }
  }

  @ParameterizedTest
  @MethodSource("everyKindOfFailure")
  void whateverIsThrownTheStepsAreUndoneTheLastOneFirst(Throwable failure) {
    assertThatThrownBy(() -> threeSteps(failure)).isSameAs(failure).hasNoSuppressedExceptions();

    assertThat(undone).containsExactly("third", "second", "first");
  }

  @Test
  void whatIsDoneIsKept() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> undone.add("step"));
      assertThat(rollback.done("result")).isEqualTo("result");
    }

    assertThat(undone).isEmpty();
  }

  @Test
  void returningWithoutBeingDoneUndoes() throws VfioException {
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> undone.add("step"));
    }

    assertThat(undone).containsExactly("step");
  }

  @ParameterizedTest
  @MethodSource("everyKindOfFailure")
  void aStepThatCannotBeUndoneKeepsNoOtherFromIt(Throwable failing) {
    VfioException failure = failure("refused");

    assertThatThrownBy(
            () -> {
              try (Rollback rollback = new Rollback()) {
                rollback.add(() -> undone.add("first"));
                rollback.add(() -> Throwing.sneakily(failing));
                rollback.add(() -> undone.add("third"));
                throw failure;
              }
            })
        .isSameAs(failure);

    assertThat(undone).containsExactly("third", "first");
    assertThat(failure.getSuppressed()).containsExactly(failing);
  }

  @Test
  void allFailuresOfUndoingAreTold() {
    VfioException failure = failure("refused");
    VfioException later = failure("undoing the second");
    IllegalStateException earlier = new IllegalStateException("undoing the first");

    assertThatThrownBy(
            () -> {
              try (Rollback rollback = new Rollback()) {
                rollback.add(
                    () -> {
                      throw earlier;
                    });
                rollback.add(
                    () -> {
                      throw later;
                    });
                throw failure;
              }
            })
        .isSameAs(failure);

    assertThat(failure.getSuppressed()).containsExactly(later);
    assertThat(later.getSuppressed()).containsExactly(earlier);
  }
}
