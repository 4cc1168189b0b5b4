package io.github.vfio4j.bench;

import io.github.vfio4j.VfioException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * Reads a disk, one command after the other, beside a thread that makes garbage as an application
 * does. It prints what the C program prints: a figure, then the latency of each command; and how
 * often garbage was collected, with that thread and without.
 */
final class CollectedLatency {
  static final Transfers TRANSFERS = new Transfers(false, true, 4 << 10, 1, 1);

  private static final int WARM_UP = 20_000;
  private static final int PIECE = 16 << 10;
  private static final int KEPT = 1024;

  private CollectedLatency() {}

  public static void main(String[] arguments) throws VfioException {
    int operations = Integer.parseInt(arguments[0]);
    try (NvmeLatency disk = new NvmeLatency(TRANSFERS, Math.max(WARM_UP, operations))) {
      disk.run(WARM_UP);
      long before = collections();
      disk.run(operations);
      long alone = collections() - before;
      Thread application = Thread.ofPlatform().daemon().start(CollectedLatency::makeGarbage);
      before = collections();
      double figure = disk.run(operations);
      long beside = collections() - before;
      application.interrupt();
      System.err.printf(
          "bench: %d collections in %d commands, %d beside a thread that makes garbage%n",
          alone, operations, beside);
      StringBuilder text = new StringBuilder().append(figure).append('\n');
      Arrays.stream(disk.latencies().figures()).forEach(each -> text.append(each).append('\n'));
      System.out.print(text);
      System.out.flush();
    }
  }

  private static long collections() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
        .mapToLong(GarbageCollectorMXBean::getCollectionCount)
        .sum();
  }

  /** Keeps some of what it allocates, and leaves the processor to others in between. */
  private static void makeGarbage() {
    byte[][] kept = new byte[KEPT][];
    try {
      for (int i = 0; ; i = (i + 1) % KEPT) {
        kept[i] = new byte[PIECE];
        if (i % 16 == 0) {
          Thread.sleep(1);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
