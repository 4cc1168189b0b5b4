package io.github.vfio4j.channel;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.EventSource;
import org.jspecify.annotations.Nullable;

/** Who is told of the events of a source: one dispatcher at a time. Thread-safe. */
public final class Subscriber {
  private @Nullable Runnable ending;
  private boolean closed;

  /**
   * Takes note of a subscriber.
   *
   * @param whenClosed is run when the source is about to close its file
   * @throws DeviceBusyException if there is one already
   * @throws IllegalStateException if the source is closed
   */
  public synchronized void begin(EventSource<?> source, Runnable whenClosed)
      throws DeviceBusyException {
    if (closed || source.isClosed()) {
      throw new IllegalStateException(source + " is closed");
    }
    if (ending != null) {
      throw new DeviceBusyException(
          "register", source.toString(), null, "it has a handler already");
    }
    ending = whenClosed;
  }

  /** Returns whether there is one. */
  public synchronized boolean isTaken() {
    return ending != null;
  }

  /** Forgets a subscriber, if it still is the one. */
  public synchronized void end(Runnable whenClosed) {
    if (whenClosed.equals(ending)) {
      ending = null;
    }
  }

  /**
   * Tells the subscriber that the source is about to close its file, which epoll has to be told of:
   * it goes on watching a file that others have open, too. There is no subscriber any more.
   */
  public void sourceCloses() {
    Runnable told;
    synchronized (this) {
      closed = true;
      told = ending;
      ending = null;
    }
    if (told != null) {
      told.run();
    }
  }
}
