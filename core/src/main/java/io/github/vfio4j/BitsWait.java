package io.github.vfio4j;

import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;

/**
 * Waits until bits that a device changes have a value: looks at them without a pause first, then
 * less and less often, and never without a bound.
 */
final class BitsWait {
  /** What most devices are done in, and shorter than a sleep. */
  private static final long SPIN_NANOS = 20_000;

  private static final long LONGEST_SLEEP_NANOS = 1_000_000;

  private final int width;
  private final long ones;
  private final long mask;
  private final long value;
  private final long limit;

  /**
   * Prepares to wait.
   *
   * @param width how many bits are read at a time
   * @throws IllegalArgumentException if the value can never be seen, or the timeout is negative
   */
  BitsWait(int width, long mask, long value, Duration timeout) {
    ones = -1L >>> (Long.SIZE - width);
    if (mask == 0 || (mask & ~ones) != 0) {
      throw new IllegalArgumentException(
          "mask must have some of the %d bits and no others: 0x%x".formatted(width, mask));
    }
    if ((value & ~mask) != 0) {
      throw new IllegalArgumentException(
          "value 0x%x has bits outside the mask 0x%x".formatted(value, mask));
    }
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("timeout must not be negative: " + timeout);
    }
    this.width = width;
    this.mask = mask;
    this.value = value;
    this.limit = TimeUnit.NANOSECONDS.convert(timeout);
  }

  /** Reads the bits, and no higher ones. */
  @FunctionalInterface
  interface Read {
    long get() throws VfioException;
  }

  /** Waits for a register of a device, which reads as all ones when the device has gone. */
  long onRegister(Object object, long at, Read read) throws VfioException {
    return on(object, at, read, "; a device that has gone reads as all ones");
  }

  /** Waits for memory, which stays there when the device has gone. */
  long onMemory(Object object, long at, Read read) throws VfioException {
    return on(object, at, read, "");
  }

  private long on(Object object, long at, Read read, String ofOnes) throws VfioException {
    long start = System.nanoTime();
    long sleep = SPIN_NANOS;
    while (true) {
      long waited = System.nanoTime() - start; // before reading, so the last look is after the end
      long seen = read.get();
      if ((seen & mask) == value) {
        return seen;
      }
      if (waited >= limit) {
        String hint = seen == ones ? ofOnes : "";
        throw new DeviceTimeoutException(
            "wait",
            object.toString(),
            null,
            "%s, and were %s after %d ms%s"
                .formatted(wanted(at), hex(seen), TimeUnit.NANOSECONDS.toMillis(waited), hint));
      }
      if (waited < SPIN_NANOS) {
        Thread.onSpinWait();
      } else {
        sleep(Math.min(sleep, limit - waited), object, at);
        sleep = Math.min(2 * sleep, LONGEST_SLEEP_NANOS);
      }
    }
  }

  private void sleep(long nanos, Object object, long at) throws VfioException {
    try {
      TimeUnit.NANOSECONDS.sleep(nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      VfioException failure =
          new VfioException(
              "wait", object.toString(), null, wanted(at) + "; the thread was interrupted");
      failure.initCause(e);
      throw failure;
    }
  }

  private String wanted(long at) {
    return "the %d bits at 0x%x should be %s under the mask %s"
        .formatted(width, at, hex(value), hex(mask));
  }

  private String hex(long bits) {
    return "0x" + HexFormat.of().toHexDigits(bits, width / 4);
  }
}
