package io.github.vfio4j.lab.coverage;

import java.util.function.Predicate;

/**
 * A part of the kernel's interface that can be exercised.
 *
 * @param operation the ioctl or message
 * @param constant the flag or value that is used with it; empty for the operation as such
 * @param isUsedBy whether a call uses it
 */
record Row(String operation, String constant, Predicate<TracedCall> isUsedBy) {
  /** What the row is about. */
  String name() {
    return constant.isEmpty() ? operation : constant;
  }

  /** What tells it from all others. */
  String key() {
    return operation + " " + constant;
  }
}
