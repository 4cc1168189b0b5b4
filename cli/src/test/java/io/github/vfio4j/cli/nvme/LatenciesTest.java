package io.github.vfio4j.cli.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void percentilesAreRightToASixtyFourth() {
    Latencies latencies = new Latencies();
    for (long nanos = 1; nanos <= 1_000_000; nanos++) {
      latencies.add(nanos);
    }
    for (double percent : new double[] {0.001, 1, 50, 90, 99, 99.9, 99.99, 100}) {
      assertThat(latencies.percentile(percent))
          .as("%s %%", percent)
          .isGreaterThanOrEqualTo((long) (percent * 10_000))
          .isCloseTo((long) (percent * 10_000), Percentage.withPercentage(1.6));
    }
    assertThat(latencies.longest()).isEqualTo(1_000_000);
  }

  @Test
  void anyLatencyIsCounted() {
    Latencies latencies = new Latencies();
    latencies.add(-1);
    latencies.add(0);
    latencies.add(63);
    latencies.add(64);
    latencies.add(Long.MAX_VALUE);
    assertThat(latencies.count()).isEqualTo(5);
    assertThat(latencies.percentile(40)).isZero();
    assertThat(latencies.percentile(60)).isEqualTo(63);
    assertThat(latencies.percentile(80)).isEqualTo(64);
    assertThat(latencies.percentile(100)).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void thoseOfSeveralAreAdded() {
    Latencies one = new Latencies();
    one.add(10);
    Latencies other = new Latencies();
    other.add(20);
    one.addAll(other);
    assertThat(one.count()).isEqualTo(2);
    assertThat(one.longest()).isEqualTo(20);
    assertThat(one.percentile(50)).isEqualTo(10);
  }
}
