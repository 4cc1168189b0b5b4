package io.github.vfio4j.cli.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaSlice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.nvme.Namespace;
import io.github.vfio4j.nvme.NvmeStatus;
import io.github.vfio4j.nvme.QueuePair;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps a queue pair full of commands, by one thread, until it is told to stop. From then on no
 * command begins, and those under way are waited for.
 */
final class Load implements Callable<Latencies>, QueuePair.Completions {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** What all loads of a run have in common. */
  record Kind(Namespace namespace, boolean writes, boolean sequential, int size) {
    long commands() {
      return namespace.size() / size;
    }
  }

  private final QueuePair pair;
  private final Kind kind;
  private final DmaSlice[] data;
  private final long[] begun;
  private final long blocksEach;
  private final SplittableRandom random;
  private final AtomicLong ended = new AtomicLong();
  private final Latencies latencies = new Latencies();
  private long next;
  private int failure;
  private volatile boolean stopped;

  /**
   * Makes one.
   *
   * @param memory as much as the pair's commands need at once
   * @param number which load of the run it is, so that each has places of its own
   */
  Load(QueuePair pair, Kind kind, DmaBuffer memory, int number) {
    this.pair = pair;
    this.kind = kind;
    this.data = new DmaSlice[pair.depth()];
    this.begun = new long[data.length];
    this.blocksEach = kind.size() / kind.namespace().blockSize();
    this.random = new SplittableRandom(number);
    this.next = random.nextLong(kind.commands());
    for (int i = 0; i < data.length; i++) {
      data[i] = memory.slice((long) i * kind.size(), kind.size());
    }
  }

  @Override
  public Latencies call() throws VfioException {
    for (int slot = 0; slot < data.length && !stopped; slot++) {
      begin(slot);
    }
    pair.submit();
    while (pair.outstanding() > 0) {
      pair.await(this, PATIENCE);
      pair.submit();
    }
    if (failure != 0) {
      throw new VfioException(
          kind.writes() ? "write" : "read",
          pair.toString(),
          null,
          new NvmeStatus(failure).toString());
    }
    return latencies;
  }

  private void begin(int slot) {
    long place = kind.sequential() ? next++ % kind.commands() : random.nextLong(kind.commands());
    begun[slot] = System.nanoTime();
    if (kind.writes()) {
      pair.write(kind.namespace(), place * blocksEach, data[slot], slot);
    } else {
      pair.read(kind.namespace(), place * blocksEach, data[slot], slot);
    }
  }

  @Override
  public void ended(long tag, int status) {
    int slot = (int) tag;
    latencies.add(System.nanoTime() - begun[slot]);
    ended.lazySet(ended.getPlain() + 1);
    if (status != 0) {
      failure = status;
      stopped = true;
    }
    if (!stopped) {
      begin(slot);
    }
  }

  /** Returns how many commands have ended, for another thread that tells of them. */
  long ended() {
    return ended.get();
  }

  void stop() {
    stopped = true;
  }
}
