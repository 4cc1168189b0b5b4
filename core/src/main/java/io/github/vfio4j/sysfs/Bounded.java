package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A call that the kernel may never come back from, made in a thread of its own: who has asked waits
 * for a while, and is told.
 */
final class Bounded {

  private Bounded() {}

  /** What is called. */
  @FunctionalInterface
  interface Call<T> {
    T run() throws VfioException;
  }

  /**
   * Makes a call and waits for its end. An interrupt does not end the wait, for nobody could tell
   * what has been done by then; the thread stays interrupted.
   *
   * @return what it has returned; empty if it has not come to its end in time, and goes on
   */
  static <T> Optional<T> call(Duration bound, Call<T> call) throws VfioException {
    FutureTask<T> task = new FutureTask<>(call::run);
    Thread.ofPlatform().daemon().name("vfio4j waiting for the kernel").start(task);
    long limit = TimeUnit.NANOSECONDS.convert(bound);
    long start = System.nanoTime();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          long left = limit - (System.nanoTime() - start);
          return Optional.of(task.get(left, TimeUnit.NANOSECONDS));
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (ExecutionException e) {
      throw thrown(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static VfioException thrown(ExecutionException e) {
    return switch (e.getCause()) {
      case VfioException failure -> failure;
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      case null, default -> throw new AssertionError(e);
    };
  }
}
