package io.github.vfio4j;

import io.github.vfio4j.linux.Fd;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link EventDispatcher} can watch: a file that can be read when something has happened.
 */
public abstract sealed class EventSource permits Interrupt, FaultQueue, VeventQueue {
  private static final long FOREVER_SECONDS = Long.MAX_VALUE / 1_000_000_000;

  private EventDispatcher.@Nullable Registration registration;

  EventSource() {}

  /** Returns the file that is readable when something has happened. */
  abstract Fd watched();

  abstract boolean isClosed();

  /** Takes note of the dispatcher that consumes this source. */
  final synchronized void dispatchTo(EventDispatcher.Registration next) throws VfioException {
    if (isClosed()) {
      throw new IllegalStateException(this + " is closed");
    }
    if (registration != null) {
      throw new DeviceBusyException("register", toString(), null, "it has a handler already");
    }
    registration = next;
  }

  final synchronized void dispatchEnded(EventDispatcher.Registration former) {
    if (registration == former) {
      registration = null;
    }
  }

  /** Returns the dispatcher's note of this source, or null where none consumes it. */
  final synchronized EventDispatcher.@Nullable Registration registration() {
    return registration;
  }

  /** Returns how long to wait, in nanoseconds. */
  static long nanos(Duration timeout) {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    return timeout.toSeconds() < FOREVER_SECONDS ? timeout.toNanos() : Long.MAX_VALUE;
  }
}
