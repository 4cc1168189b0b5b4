package io.github.vfio4j.vmm;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Step;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What the guest was asked to let go, and who waits for that. Thread-safe. */
final class Departures<T> {
  private static final Logger LOGGER = System.getLogger(Departures.class.getName());

  /** Somebody who waits. */
  private final class Waiter {
    private final T leaving;
    private final CompletableFuture<Boolean> gone = new CompletableFuture<>();

    Waiter(T leaving) {
      this.leaving = leaving;
    }
  }

  private final Set<Waiter> waiters = new LinkedHashSet<>();

  /**
   * Asks, and waits until the guest has let it go and it has been taken away.
   *
   * @throws DeviceTimeoutException if the guest has not by then; it may do so later
   * @throws VfioException if it could not be taken away, or the machine has ended
   */
  void await(T leaving, Step asking, Duration patience) throws VfioException, InterruptedException {
    Waiter waiter = new Waiter(leaving);
    add(waiter);
    try {
      asking.run();
      waiter.gone.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new DeviceTimeoutException(
          "unplug",
          leaving.toString(),
          null,
          "the guest has not let it go within " + patience.toMillis() + " ms");
    } catch (ExecutionException e) {
      VfioException failed =
          new VfioException("unplug", leaving.toString(), null, String.valueOf(e.getCause()));
      failed.initCause(e);
      throw failed;
    } finally {
      remove(waiter);
    }
  }

  private synchronized void add(Waiter waiter) {
    waiters.add(waiter);
  }

  private synchronized void remove(Waiter waiter) {
    waiters.remove(waiter);
  }

  /** Takes away what the guest has let go, and tells who waits for it. */
  void gone(T left, Step taking) {
    List<Waiter> told = waitersFor(left);
    try {
      taking.run();
      told.forEach(waiter -> waiter.gone.complete(true));
    } catch (VfioException | RuntimeException e) {
      if (told.isEmpty()) {
        LOGGER.log(Level.WARNING, "what the guest has let go cannot be taken away", e);
      }
      told.forEach(waiter -> waiter.gone.completeExceptionally(e));
    }
  }

  private synchronized List<Waiter> waitersFor(T left) {
    return waiters.stream().filter(waiter -> waiter.leaving.equals(left)).toList();
  }

  /** Returns what the guest has not let go yet. */
  synchronized List<T> awaited() {
    return waiters.stream().map(waiter -> waiter.leaving).distinct().toList();
  }

  /** Tells all who wait that it will never be. */
  synchronized void end() {
    IllegalStateException ended = new IllegalStateException("the machine has ended");
    waiters.forEach(waiter -> waiter.gone.completeExceptionally(ended));
  }
}
