package io.github.vfio4j.kerneltests.selftests;

/** How a case ended. */
enum Outcome {
  PASSED,
  SKIPPED,
  FAILED
}
