package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.Failures;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What came of loads that ran for a while.
 *
 * @param latencies of all of them
 * @param nanos how long they ran
 */
record LoadRun(Latencies latencies, long nanos) {
  private static final long SECOND = 1_000_000_000;

  /** Is told, each second, how many commands have ended in how many nanoseconds. */
  @FunctionalInterface
  interface Listener {
    void soFar(long commands, long nanos);
  }

  /** Runs them, each in a thread, until the time is over or this thread is interrupted. */
  static LoadRun of(List<Load> loads, int seconds, Listener listener) throws VfioException {
    ExecutorService threads = Executors.newFixedThreadPool(loads.size());
    long start = System.nanoTime();
    List<Future<Latencies>> running = loads.stream().map(threads::submit).toList();
    try {
      wait(running, loads, start, seconds, listener);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the result so far is what was asked for
    } finally {
      loads.forEach(Load::stop);
      threads.close();
    }
    long nanos = System.nanoTime() - start;
    Latencies all = new Latencies();
    Failures failures = new Failures();
    for (Future<Latencies> each : running) {
      if (each.state() == Future.State.SUCCESS) {
        all.addAll(each.resultNow());
      } else if (each.exceptionNow() instanceof VfioException failure) {
        failures.add(failure);
      } else {
        throw new IllegalStateException(each.exceptionNow());
      }
    }
    failures.rethrow();
    return new LoadRun(all, nanos);
  }

  private static void wait(
      List<Future<Latencies>> running, List<Load> loads, long start, int seconds, Listener listener)
      throws InterruptedException {
    for (int second = 1; second <= seconds; second++) {
      TimeUnit.NANOSECONDS.sleep(start + second * SECOND - System.nanoTime());
      if (running.stream().anyMatch(Future::isDone)) {
        return; // it has failed
      }
      if (second < seconds) {
        listener.soFar(loads.stream().mapToLong(Load::ended).sum(), System.nanoTime() - start);
      }
    }
  }
}
