package io.github.vfio4j;

import org.jspecify.annotations.Nullable;

/** Carries out all steps of a closing, and keeps the first failure with the others attached. */
final class FirstFailure {
  interface Step {
    void run() throws VfioException;
  }

  private @Nullable Exception first;

  /** Attempts a step that undoes what was done before a failure, to which its own is attached. */
  static void undo(Exception cause, Step step) {
    FirstFailure failure = new FirstFailure();
    failure.add(cause);
    failure.attempt(step);
  }

  void attempt(Step step) {
    try {
      step.run();
    } catch (VfioException | RuntimeException e) {
      add(e);
    }
  }

  void add(Exception failure) {
    if (first == null) {
      first = failure;
    } else {
      first.addSuppressed(failure);
    }
  }

  void rethrow() throws VfioException {
    if (first instanceof VfioException e) {
      throw e;
    }
    if (first instanceof RuntimeException e) {
      throw e;
    }
  }
}
