package io.github.vfio4j.nvme;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a controller tells of its own accord: errors, its health, changes of its namespaces.
 *
 * <p>As long as this is open, one request for an event is with the controller, also after it was
 * reset; what it has to tell meanwhile it keeps. Methods may be called from any thread, and beside
 * all others of the controller; each event is handed out once.
 */
public final class AsyncEvents implements AutoCloseable {
  private static final long BETWEEN_LOOKS_MILLIS = 10;

  private final NvmeController controller;
  private final AdminQueue admin;
  private final int before;
  private volatile boolean closed;

  /** Listens to a controller that was told of what. */
  AsyncEvents(NvmeController controller, AdminQueue admin, int before) {
    this.controller = controller;
    this.admin = admin;
    this.before = before;
  }

  /** Returns what the controller told of before anybody listened. */
  int before() {
    return before;
  }

  /**
   * Takes an event, without waiting.
   *
   * @return the event, or nothing if there is none
   * @throws IllegalStateException if this is closed, or the controller
   * @throws NoSuchDeviceException if the device has gone
   * @throws ControllerFatalException if the controller has failed
   * @throws NvmeException if the controller refuses to tell
   * @throws VfioException if the controller does not run, because a reset has failed
   */
  public Optional<AsyncEvent> poll() throws VfioException {
    if (closed) {
      throw new IllegalStateException(this + " are closed");
    }
    controller.requireAlive();
    OptionalInt event = admin.takeEvent();
    admin.requestEvent();
    return event.isEmpty() ? Optional.empty() : Optional.of(AsyncEvent.parse(event.getAsInt()));
  }

  /**
   * Waits for an event: looks for one a hundred times a second.
   *
   * @param timeout how long to wait
   * @return the event, or nothing if there was none in time
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if this is closed, or gets closed meanwhile
   * @throws VfioException as {@link #poll}, or if the thread is interrupted, and stays so
   */
  public Optional<AsyncEvent> await(Duration timeout) throws VfioException {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("a negative timeout: " + timeout);
    }
    long nanos = QueuePair.nanos(timeout);
    long begin = System.nanoTime();
    while (true) {
      long left = nanos - (System.nanoTime() - begin);
      Optional<AsyncEvent> event = poll();
      if (event.isPresent() || left <= 0) {
        return event;
      }
      try {
        Thread.sleep(Math.min(BETWEEN_LOOKS_MILLIS, left / 1_000_000 + 1));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        VfioException failure =
            new VfioException("await", toString(), null, "the thread was interrupted");
        failure.initCause(e);
        throw failure;
      }
    }
  }

  void end() {
    closed = true;
  }

  /**
   * Has the controller tell of what it told of before. Later calls do nothing; closing the
   * controller does the same.
   *
   * @throws VfioException if the controller refuses, or does not answer; it is closed all the same
   */
  @Override
  public void close() throws VfioException {
    controller.stopListening(this);
  }

  /** Returns whose events these are. */
  @Override
  public String toString() {
    return "events of " + controller;
  }
}
