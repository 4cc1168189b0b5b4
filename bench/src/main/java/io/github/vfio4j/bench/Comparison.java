package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Java and C by turns: A, B, A, B, and so on. */
final class Comparison {
  private Comparison() {}

  /**
   * Compares.
   *
   * @param programs where the C programs are
   * @param warmUp rounds of Java alone that come first and are not counted, so that what is
   *     measured is compiled
   * @param mostRounds rounds of each side, unless the benchmark has fewer
   */
  static Result of(Benchmark benchmark, Path programs, int warmUp, int mostRounds)
      throws IOException {
    @Nullable Floor floor = benchmark.floor().isEmpty() ? null : Floor.of(programs, benchmark);
    int rounds = Math.min(mostRounds, benchmark.rounds());
    double[] java = new double[rounds];
    double[] c = new double[rounds];
    Samples javaLatencies = Samples.NONE;
    Samples floorLatencies = Samples.NONE;
    try (Workload workload = benchmark.java().open()) {
      for (int round = 0; workload.isHere() && round < warmUp; round++) {
        workload.run(benchmark.operations());
      }
    }
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
      Round other = floor == null ? Round.NONE : floor.run();
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
}
