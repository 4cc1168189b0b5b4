package io.github.vfio4j.outcome;

import io.github.vfio4j.VfioException;

/** Throws what a test has chosen, from a step. */
final class Throwing {
  private Throwing() {}

  static void sneakily(Throwable failure) throws VfioException {
    switch (failure) {
      case VfioException e -> throw e;
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new AssertionError(failure);
    }
  }
}
