package io.github.vfio4j.opening;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Answer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/**
 * Waits out the moment in which a device has its node and is not registered yet: the kernel then
 * answers as for one that has gone, and only sysfs tells the two apart.
 */
public final class Registration {
  private static final long LIMIT = TimeUnit.SECONDS.toNanos(1);
  private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

  private Registration() {}

  /** Whether the kernel still shows what is to be opened. */
  @FunctionalInterface
  public interface Shown {
    boolean now() throws VfioException;
  }

  /**
   * Makes a call, again while the kernel says that the device is not there and yet shows it; for a
   * second at most, or until the thread is interrupted.
   *
   * @return the last answer
   */
  public static int await(IntSupplier call, Shown shown) throws VfioException {
    long start = System.nanoTime();
    long pause = TimeUnit.MILLISECONDS.toNanos(1);
    int answer = call.getAsInt();
    while (Answer.is(answer, Errno.ENODEV)
        && System.nanoTime() - start < LIMIT
        && !Thread.currentThread().isInterrupted()
        && shown.now()) {
      LockSupport.parkNanos(pause);
      pause = Math.min(2 * pause, LONGEST_PAUSE);
      answer = call.getAsInt();
    }
    return answer;
  }
}
