package io.github.vfio4j.outcome;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link Closing} does with failures. */
class ClosingFailuresTest {
  private final List<String> done = new ArrayList<>();

  static List<Throwable> everyKindOfFailure() {
    return UndoTest.everyKindOfFailure();
  }

  @Test
  void nothingIsThrownWhereNothingFailed() throws VfioException {
    Closing closing = new Closing();
    closing.attempt(() -> done.add("step"));
    closing.rethrow();

    assertThat(done).containsExactly("step");
  }

  @ParameterizedTest
  @MethodSource("everyKindOfFailure")
  void whateverAStepThrowsTheOthersAreCarriedOutAndItIsTold(Throwable failure) {
    Closing closing = new Closing();
    closing.attempt(() -> Throwing.sneakily(failure));
    closing.attempt(() -> done.add("second"));

    assertThatThrownBy(closing::rethrow).isSameAs(failure);
    assertThat(done).containsExactly("second");
  }

  @Test
  void theFirstFailureCarriesTheOthersInOrder() {
    VfioException first = new VfioException("close", "first", null, "");
    List<Throwable> others = everyKindOfFailure();
    Closing closing = new Closing();
    closing.add(first);
    others.forEach(closing::add);

    assertThatThrownBy(closing::rethrow).isSameAs(first);
    assertThat(first.getSuppressed()).containsExactlyElementsOf(others);
  }

  @Test
  void aFailureThatIsMetTwiceIsToldOnce() {
    VfioException failure = new VfioException("close", "same", null, "");
    Closing closing = new Closing();
    closing.add(failure);
    closing.add(failure);

    assertThatThrownBy(closing::rethrow).isSameAs(failure).hasNoSuppressedExceptions();
  }
}
