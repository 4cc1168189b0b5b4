package io.github.vfio4j.bench;

import io.github.vfio4j.VfioException;

/** A thread waits for the interrupt itself. */
final class AwaitedInterrupt extends InterruptLatency {
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final Thread waiter = new Thread(this::waitForAll, "waiter");

  private volatile boolean stop;
  private volatile long waiting;
  private volatile long allocated;

  AwaitedInterrupt() throws VfioException {
    waiter.setDaemon(true);
    waiter.start();
  }

  private void waitForAll() {
    RealTimePriority.takeForThisThread();
    try {
      for (long i = 1; !stop; i++) {
        allocated = Allocation.byThisThread();
        waiting = i;
        if (source().awaitNanos(PATIENCE_NANOS) == 0) {
          throw new IllegalStateException("The interrupt did not arrive");
        }
        arrived(i);
      }
    } catch (VfioException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void letItWait(long raised) {
    while (waiting <= raised && waiter.isAlive()) {
      Thread.onSpinWait();
    }
  }

  /** Returns what the waiting thread has allocated. */
  @Override
  public long allocatedBytes() {
    letItWait(raised());
    return allocated;
  }

  @Override
  public void close() throws VfioException {
    letItWait(raised()); // or it might stop before the last interrupt
    stop = true;
    raise();
    super.close();
  }
}
