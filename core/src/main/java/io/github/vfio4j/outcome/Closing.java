package io.github.vfio4j.outcome;

import io.github.vfio4j.VfioException;
import org.jspecify.annotations.Nullable;

/** Carries out all steps of a closing, and keeps the first failure with the others attached. */
public final class Closing {
  private @Nullable Throwable first;

  /**
   * Attempts a step; whatever it throws is kept.
   *
   * @return whether it was carried out
   */
  public boolean attempt(Step step) {
    try {
      step.run();
      return true;
    } catch (Throwable e) {
      add(e);
      return false;
    }
  }

  public void add(Throwable failure) {
    if (first == null) {
      first = failure;
    } else if (!first.equals(failure)) {
      first.addSuppressed(failure);
    }
  }

  /** Throws the first failure, if there is one. */
  public void rethrow() throws VfioException {
    switch (first) {
      case null -> {}
      case VfioException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(first);
    }
  }
}
