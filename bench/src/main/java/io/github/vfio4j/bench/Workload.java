package io.github.vfio4j.bench;

import java.io.IOException;

/** The Java side of a benchmark, with what it needs held open. */
interface Workload extends AutoCloseable {
  /** Opens what a workload needs. */
  @FunctionalInterface
  interface Opener {
    Workload open() throws IOException;
  }

  /**
   * Does operations and says what one takes.
   *
   * @param operations how many
   * @return nanoseconds, which are instructions where guest time counts these
   */
  double run(int operations) throws IOException;

  /** Returns how long each operation of the last run took, where that is what it measures. */
  default Samples latencies() {
    return Samples.NONE;
  }

  /** Returns whether this JVM does it: then it has to be warm, and what it allocates is counted. */
  default boolean isHere() {
    return true;
  }

  /** Returns how many bytes the measured thread has allocated since it was started. */
  default long allocatedBytes() {
    return Allocation.byThisThread();
  }

  @Override
  void close() throws IOException;
}
