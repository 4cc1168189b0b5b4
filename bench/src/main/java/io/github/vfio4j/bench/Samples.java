package io.github.vfio4j.bench;

import java.util.Arrays;
import java.util.stream.DoubleStream;

/** Figures, such as one per round. */
final class Samples {
  static final Samples NONE = new Samples(new double[0]);

  private final double[] sorted;

  Samples(double[] values) {
    sorted = values.clone();
    Arrays.sort(sorted);
  }

  /** The figures of one divided by those of another, round by round. */
  static Samples ratios(double[] values, double[] floors) {
    double[] ratios = new double[values.length];
    Arrays.setAll(ratios, round -> values[round] / floors[round]);
    return new Samples(ratios);
  }

  /** These and others together. */
  Samples and(Samples others) {
    return new Samples(
        DoubleStream.concat(Arrays.stream(sorted), Arrays.stream(others.sorted)).toArray());
  }

  /** Returns the figures in their order of size. */
  double[] figures() {
    return sorted.clone();
  }

  boolean isEmpty() {
    return sorted.length == 0;
  }

  double median() {
    return quantile(0.5);
  }

  /** Interpolates linearly between the two figures next to the quantile. */
  double quantile(double share) {
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
