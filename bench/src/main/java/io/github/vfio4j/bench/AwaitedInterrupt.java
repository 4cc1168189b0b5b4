package io.github.vfio4j.bench;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;

/** A thread sleeps until the interrupt is there. */
final class AwaitedInterrupt extends InterruptLatency {
  /** How it sleeps. */
  @FunctionalInterface
  interface Sleep extends AutoCloseable {
    /** Sleeps until the next interrupt. */
    void sleep() throws VfioException;

    @Override
    default void close() throws VfioException {}
  }

  /** Prepares it for an interrupt. */
  @FunctionalInterface
  private interface SleepMaker {
    Sleep on(Interrupt interrupt) throws VfioException;
  }

  private static final long PATIENCE_NANOS = 10_000_000_000L;

  private final Sleep sleep;
  private final Thread waiter = new Thread(this::waitForAll, "waiter");

  private volatile boolean stop;
  private volatile long waiting;
  private volatile long allocated;

  private AwaitedInterrupt(SleepMaker maker) throws VfioException {
    sleep = maker.on(source());
    waiter.setDaemon(true);
    waiter.start();
  }

  /** Has it wait for the interrupt itself. */
  static AwaitedInterrupt here() throws VfioException {
    return new AwaitedInterrupt(
        interrupt ->
            () -> {
              if (interrupt.awaitNanos(PATIENCE_NANOS) == 0) {
                throw new IllegalStateException("The interrupt did not arrive");
              }
            });
  }

  /** Has it run a guest whose interrupt it is. */
  static AwaitedInterrupt inGuest() throws VfioException {
    return new AwaitedInterrupt(InterruptedGuest::new);
  }

  private void waitForAll() {
    RealTimePriority.takeForThisThread();
    try {
      for (long i = 1; !stop; i++) {
        allocated = Allocation.byThisThread();
        waiting = i;
        sleep.sleep();
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
    try {
      waiter.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    sleep.close();
    super.close();
  }
}
