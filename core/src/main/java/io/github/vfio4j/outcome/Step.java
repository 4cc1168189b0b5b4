package io.github.vfio4j.outcome;

import io.github.vfio4j.VfioException;

/** One step of a closing, or of undoing what was done. */
@FunctionalInterface
public interface Step {
  void run() throws VfioException;
}
