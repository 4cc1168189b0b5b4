package io.github.vfio4j.device;

import java.time.Duration;

/** How long to wait. */
public final class Timeout {
  private static final long FOREVER_SECONDS = Long.MAX_VALUE / 1_000_000_000;

  private Timeout() {}

  /** Returns the time in nanoseconds, or as much as a long holds. */
  public static long nanos(Duration timeout) {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    return timeout.toSeconds() < FOREVER_SECONDS ? timeout.toNanos() : Long.MAX_VALUE;
  }
}
