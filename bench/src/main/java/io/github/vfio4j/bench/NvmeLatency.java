package io.github.vfio4j.bench;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.QueuePair;
import java.util.Arrays;

/**
 * From putting a command into the queue until it has ended, one after the other, polled. What is
 * reported of a round is the median.
 */
final class NvmeLatency implements Workload {
  private final NvmeDisk disk;
  private final QueuePair pair;
  private final long[] nanos;
  private int measured;
  private final QueuePair.Completions completions =
      (tag, status) -> NvmeDisk.requireSuccess(status);

  /**
   * Opens a disk.
   *
   * @param most how many operations make a round at most
   */
  NvmeLatency(Transfers transfers, int most) throws VfioException {
    nanos = new long[most];
    disk = new NvmeDisk(transfers);
    pair = disk.pair(0);
  }

  @Override
  public double run(int operations) throws VfioException {
    for (int i = 0; i < operations; i++) {
      long start = System.nanoTime();
      disk.put(pair, 0);
      pair.submit();
      while (pair.poll(completions) == 0) {
        Thread.onSpinWait();
      }
      nanos[i] = System.nanoTime() - start;
    }
    measured = operations;
    Arrays.sort(nanos, 0, operations);
    return nanos[operations / 2];
  }

  @Override
  public Samples latencies() {
    return new Samples(Arrays.stream(nanos, 0, measured).asDoubleStream().toArray());
  }

  @Override
  public void close() throws VfioException {
    disk.close();
  }
}
