package io.github.vfio4j.model;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a device does later than it was told to, in a thread that there is only where it is needed.
 */
final class LateWork {
  private @Nullable ScheduledExecutorService executor;

  synchronized void after(Duration delay, Runnable work) {
    if (executor == null) {
      executor =
          Executors.newSingleThreadScheduledExecutor(
              Thread.ofPlatform().daemon().name("vfio4j-model").factory());
    }
    var _ = executor.schedule(work, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Drops what has not begun, and waits for what has. */
  synchronized void finish() {
    ScheduledExecutorService stopped = executor;
    executor = null;
    if (stopped != null) {
      stopped.shutdownNow();
      boolean interrupted = false;
      while (!stopped.isTerminated()) {
        try {
          stopped.awaitTermination(1, TimeUnit.DAYS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  void close() {
    finish();
  }

  static void sleep(Duration time) {
    if (time.isZero()) {
      return;
    }
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
