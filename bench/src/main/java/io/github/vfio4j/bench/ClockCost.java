package io.github.vfio4j.bench;

/** What reading the clock adds to each time that is taken with it. */
final class ClockCost {
  private static final int READINGS = 100_000;

  /** Nanoseconds between two readings with nothing in between, at the least. */
  static final long NANOS = measure();

  private ClockCost() {}

  private static long measure() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < READINGS; i++) {
      long start = System.nanoTime();
      least = Math.min(least, System.nanoTime() - start);
    }
    return least;
  }
}
