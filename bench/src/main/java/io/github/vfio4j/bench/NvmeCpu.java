package io.github.vfio4j.bench;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.QueuePair;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * What it takes to put commands into the queues and their completions out, without the time in
 * between, in which the thread sleeps: how long a disk takes is not the driver's, and a loop that
 * polls meanwhile counts that. What is reported is the median of all batches.
 */
final class NvmeCpu implements Workload {
  private static final long PAUSE_NANOS = 5_000_000;
  private static final int MOST_PAUSES = 10;
  private static final int MOST_BATCHES = 1000;

  private final int depth;
  private final int inFlight;
  private final NvmeDisk disk;
  private final long[] samples = new long[MOST_BATCHES];
  private final QueuePair.Completions completions = this::ended;
  private int ended;

  NvmeCpu(Transfers transfers) throws VfioException {
    depth = transfers.depth();
    inFlight = transfers.inFlight();
    disk = new NvmeDisk(transfers);
  }

  @Override
  public double run(int operations) throws VfioException {
    int batches = operations / inFlight;
    for (int i = 0; i < batches; i++) {
      samples[i] = wholeBatch();
    }
    Arrays.sort(samples, 0, batches);
    return (double) samples[batches / 2] / inFlight;
  }

  private long wholeBatch() throws VfioException {
    for (int attempt = 0; attempt < MOST_PAUSES; attempt++) {
      long submitting = submit();
      LockSupport.parkNanos(PAUSE_NANOS);
      ended = 0;
      long reaping = reap();
      if (ended == inFlight) {
        return submitting + reaping - 2 * ClockCost.NANOS;
      }
      while (ended < inFlight) {
        reap();
      }
    }
    throw new IllegalStateException("The disk is too slow");
  }

  private long submit() {
    long start = System.nanoTime();
    for (int i = 0; i < disk.pairs(); i++) {
      for (int buffer = i * depth; buffer < (i + 1) * depth; buffer++) {
        disk.put(disk.pair(i), buffer);
      }
      disk.pair(i).submit();
    }
    return System.nanoTime() - start;
  }

  private long reap() throws VfioException {
    long start = System.nanoTime();
    for (int i = 0; i < disk.pairs(); i++) {
      disk.pair(i).poll(completions);
    }
    return System.nanoTime() - start;
  }

  private void ended(long tag, int status) {
    NvmeDisk.requireSuccess(status);
    ended++;
  }

  @Override
  public void close() throws VfioException {
    disk.close();
  }
}
