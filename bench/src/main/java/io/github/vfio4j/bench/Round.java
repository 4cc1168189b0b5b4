package io.github.vfio4j.bench;

/**
 * What one round of one side showed.
 *
 * @param figure nanoseconds per operation
 * @param latencies those of each operation, where the benchmark is one of latency
 */
record Round(double figure, Samples latencies) {
  /** That of a side that there is not. */
  static final Round NONE = new Round(Double.NaN, Samples.NONE);
}
