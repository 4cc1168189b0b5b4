package io.github.vfio4j.vmm;

import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Step;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What the guest was asked to let go, and who waits for that. Thread-safe. */
final class Departures<T> {
  private static final Logger LOGGER = System.getLogger(Departures.class.getName());

  private final Map<T, CompletableFuture<Boolean>> awaited = new ConcurrentHashMap<>();

  /**
   * Asks, and waits until the guest has let it go and it has been taken away.
   *
   * @throws DeviceTimeoutException if the guest has not by then; it may do so later
   * @throws VfioException if it could not be taken away
   */
  void await(T leaving, Step asking, Duration patience) throws VfioException, InterruptedException {
    CompletableFuture<Boolean> gone =
        awaited.computeIfAbsent(leaving, key -> new CompletableFuture<>());
    try {
      asking.run();
      gone.get(patience.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new DeviceTimeoutException(
          "unplug",
          leaving.toString(),
          null,
          "the guest has not let it go within " + patience.toMillis() + " ms");
    } catch (ExecutionException e) {
      throw e.getCause() instanceof VfioException failure
          ? failure
          : new VfioException("unplug", leaving.toString(), null, String.valueOf(e.getCause()));
    } finally {
      awaited.remove(leaving, gone);
    }
  }

  /** Takes away what the guest has let go, and tells who waits for it. */
  void gone(T left, Step taking) {
    CompletableFuture<Boolean> gone = awaited.get(left);
    try {
      taking.run();
      if (gone != null) {
        gone.complete(true);
      }
    } catch (VfioException e) {
      if (gone == null || !gone.completeExceptionally(e)) {
        LOGGER.log(Level.WARNING, "what the guest has let go cannot be taken away", e);
      }
    }
  }

  /** Returns what the guest has not let go yet. */
  List<T> awaited() {
    return List.copyOf(awaited.keySet());
  }
}
