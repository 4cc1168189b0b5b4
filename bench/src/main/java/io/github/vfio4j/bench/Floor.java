package io.github.vfio4j.bench;

import java.io.IOException;
import java.util.List;

/** What the library is measured against. */
@FunctionalInterface
interface Floor {
  /** Where nothing else does the same. */
  Floor NONE = operations -> Round.NONE;

  /** A program, one of ours in C for most. */
  static Floor program(String... command) {
    return program(List.of(command));
  }

  /** A program likewise. */
  static Floor program(List<String> command) {
    return new Program(command)::run;
  }

  /** Measures one round of so many operations. */
  Round run(int operations) throws IOException;

  /** Has code that is compiled while it runs be compiled. */
  default void warmUp(int rounds, int operations) throws IOException {}

  /**
   * The library itself, in another way.
   *
   * @param java opens that
   */
  record OtherWay(Workload.Opener java) implements Floor {
    @Override
    public Round run(int operations) throws IOException {
      try (Workload workload = java.open()) {
        workload.run(operations);
        return new Round(workload.run(operations), workload.latencies());
      }
    }

    @Override
    public void warmUp(int rounds, int operations) throws IOException {
      Comparison.warmUp(java, rounds, operations);
    }
  }
}
