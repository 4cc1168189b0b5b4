package io.github.vfio4j.cli.nvme;

/**
 * How often which latency occurred, in nanoseconds, to a sixty-fourth of it.
 *
 * <p>HdrHistogram would do the same, but is no named module, which this project's build refuses.
 */
final class Latencies {
  private static final int BITS = 6;
  private static final int PER_OCTAVE = 1 << BITS;

  private final long[] counts = new long[(Long.SIZE - BITS) * PER_OCTAVE];
  private long count;
  private long longest;

  /** Counts one; allocates nothing. */
  void add(long nanos) {
    long latency = Math.max(0, nanos);
    counts[index(latency)]++;
    count++;
    longest = Math.max(longest, latency);
  }

  void addAll(Latencies other) {
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
    }
    count += other.count;
    longest = Math.max(longest, other.longest);
  }

  private static int index(long latency) {
    int shift = Math.max(0, Long.SIZE - BITS - 1 - Long.numberOfLeadingZeros(latency));
    return shift * PER_OCTAVE + (int) (latency >>> shift);
  }

  /** The longest latency that is counted there. */
  private static long longest(int index) {
    int shift = Math.max(0, index / PER_OCTAVE - 1);
    return ((index - (long) shift * PER_OCTAVE + 1) << shift) - 1;
  }

  long count() {
    return count;
  }

  long longest() {
    return longest;
  }

  /**
   * Returns the latency that this share of all does not exceed.
   *
   * @param percent above 0, up to 100
   */
  long percentile(double percent) {
    long rank = Math.max(1, (long) Math.ceil(count * percent / 100));
    long passed = 0;
    for (int i = 0; i < counts.length; i++) {
      passed += counts[i];
      if (passed >= rank) {
        return Math.min(longest, longest(i));
      }
    }
    return longest;
  }
}
