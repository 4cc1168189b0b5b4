package io.github.vfio4j.bench;

/** Numbers without an order, the same in each run and in C. */
final class Places {
  private long state = 1;

  /** Returns the next number below a limit. */
  long below(long limit) {
    state = state * 6364136223846793005L + 1442695040888963407L;
    return (state >>> 33) % limit;
  }
}
