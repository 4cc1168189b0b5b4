package io.github.vfio4j.bench;

import java.io.IOException;

/** Java and C, or Java in two ways, by turns: A, B, A, B, and so on. */
final class Comparison {
  private Comparison() {}

  /**
   * Compares.
   *
   * @param warmUp rounds of each way in Java that come first and are not counted, so that what is
   *     measured is compiled
   * @param mostRounds rounds of each side, unless the benchmark has fewer
   */
  static Result of(Benchmark benchmark, int warmUp, int mostRounds) throws IOException {
    int rounds = Math.min(mostRounds, benchmark.rounds());
    double[] java = new double[rounds];
    double[] c = new double[rounds];
    Samples javaLatencies = Samples.NONE;
    Samples floorLatencies = Samples.NONE;
    warmUp(benchmark.java(), warmUp, benchmark.operations());
    benchmark.floor().warmUp(warmUp, benchmark.operations());
    double bytes = 0;
    for (int round = 0; round < rounds; round++) {
      try (Workload workload = benchmark.java().open()) {
        if (workload.isHere()) {
          workload.run(benchmark.operations());
        }
        long before = workload.allocatedBytes();
        java[round] = workload.run(benchmark.operations());
        long allocated = workload.allocatedBytes() - before;
        bytes = workload.isHere() ? (double) allocated / benchmark.operations() : Double.NaN;
        javaLatencies = javaLatencies.and(workload.latencies());
      }
      Round other = benchmark.floor().run(benchmark.operations());
      c[round] = other.figure();
      floorLatencies = floorLatencies.and(other.latencies());
    }
    return new Result(
        benchmark.name(),
        new Samples(java),
        new Samples(c),
        Samples.ratios(java, c),
        bytes,
        javaLatencies,
        floorLatencies);
  }

  static void warmUp(Workload.Opener java, int rounds, int operations) throws IOException {
    try (Workload workload = java.open()) {
      for (int round = 0; workload.isHere() && round < rounds; round++) {
        workload.run(operations);
      }
    }
  }
}
