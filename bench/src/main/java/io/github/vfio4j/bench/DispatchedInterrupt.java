package io.github.vfio4j.bench;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.event.EventDispatcher;
import org.jspecify.annotations.Nullable;

/** A dispatcher waits for the interrupt, and calls a handler. */
final class DispatchedInterrupt extends InterruptLatency {
  private final EventDispatcher dispatcher;
  private volatile @Nullable Thread thread;
  private long delivered;

  DispatchedInterrupt() throws VfioException {
    dispatcher = EventDispatcher.start();
    dispatcher.register(source(), this::deliver);
    raise(); // the first lets the dispatcher's thread run as soon as it can
  }

  private void deliver(Interrupt source, long fired) {
    if (thread == null) {
      RealTimePriority.takeForThisThread();
      thread = Thread.currentThread();
    }
    arrived(++delivered);
  }

  /** Returns what the dispatcher's thread has allocated. */
  @Override
  public long allocatedBytes() {
    Thread known = thread;
    return known == null ? 0 : Allocation.by(known);
  }

  @Override
  public void close() throws VfioException {
    dispatcher.close();
    super.close();
  }
}
