package io.github.vfio4j.bench;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.QueuePair;

/** With as many commands under way in each queue pair as it takes, all the time, polled. */
final class NvmeRate implements Workload {
  private final int depth;
  private final NvmeDisk disk;
  private final Flow[] flows;

  NvmeRate(Transfers transfers) throws VfioException {
    depth = transfers.depth();
    disk = new NvmeDisk(transfers);
    flows = new Flow[disk.pairs()];
    for (int i = 0; i < flows.length; i++) {
      flows[i] = new Flow(disk, disk.pair(i));
    }
  }

  @Override
  public double run(int operations) throws VfioException {
    long start = System.nanoTime();
    for (int i = 0; i < flows.length; i++) {
      flows[i].start(i * depth, depth, operations / flows.length);
    }
    int busy = flows.length;
    while (busy > 0) {
      busy = 0;
      for (Flow flow : flows) {
        busy += flow.goOn() ? 1 : 0;
      }
    }
    return (double) (System.nanoTime() - start) / operations;
  }

  /** The commands of one pair: when one ends, the next takes its buffer. */
  private static final class Flow implements QueuePair.Completions {
    private final NvmeDisk disk;
    private final QueuePair pair;
    private int waiting;
    private int left;

    Flow(NvmeDisk disk, QueuePair pair) {
      this.disk = disk;
      this.pair = pair;
    }

    void start(int firstBuffer, int depth, int operations) {
      waiting = operations - depth;
      left = operations;
      for (int i = 0; i < depth; i++) {
        disk.put(pair, firstBuffer + i);
      }
      pair.submit();
    }

    /** Returns whether there is anything left. */
    boolean goOn() throws VfioException {
      if (pair.poll(this) > 0) {
        pair.submit();
      }
      return left > 0;
    }

    @Override
    public void ended(long tag, int status) {
      NvmeDisk.requireSuccess(status);
      left--;
      if (waiting > 0) {
        waiting--;
        disk.put(pair, (int) tag);
      }
    }
  }

  @Override
  public void close() throws VfioException {
    disk.close();
  }
}
