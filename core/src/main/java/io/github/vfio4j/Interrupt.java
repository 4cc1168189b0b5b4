package io.github.vfio4j;

import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import java.time.Duration;

/**
 * An enabled interrupt vector, and the eventfd that it signals.
 *
 * <p>Consume it either by {@link #await} or through an {@link EventDispatcher}. Methods may be
 * called from any thread; with several waiters one of them gets the signal. {@link #await} blocks
 * the carrier of a virtual thread: use the dispatcher there.
 */
public final class Interrupt extends EventSource implements AutoCloseable {
  private final Interrupts kind;
  private final int vector;
  private final EventFd event;

  Interrupt(Interrupts kind, int vector, EventFd event) {
    this.kind = kind;
    this.vector = vector;
    this.event = event;
  }

  EventFd event() {
    return event;
  }

  @Override
  Fd watched() {
    return event.fd();
  }

  @Override
  boolean isClosed() {
    return event.isClosed();
  }

  /**
   * Returns which vector this is.
   *
   * @return its number, from 0
   */
  public int vector() {
    return vector;
  }

  /**
   * Waits until the vector fires, or has fired since the last call.
   *
   * @param timeout how long to wait, to the nanosecond; zero only looks
   * @return how often it fired, or 0 when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if the interrupt is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  public long await(Duration timeout) throws VfioException {
    return awaitNanos(nanos(timeout));
  }

  /**
   * Waits as {@link #await(Duration)} does.
   *
   * @param nanos how long to wait, in nanoseconds; negative waits without end, zero only looks
   * @return how often it fired, or 0 when the time ran out
   * @throws IllegalStateException if the interrupt is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  public long awaitNanos(long nanos) throws VfioException {
    long count = nanos == 0 ? event.take() : event.await(nanos);
    if (count < 0) {
      throw Failure.of("read", toString(), (int) count, "");
    }
    return count;
  }

  /**
   * Makes the vector fire as if the device had raised it; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws VfioException if the kernel refuses
   */
  public void trigger() throws VfioException {
    kind.irqSet().trigger(vector);
  }

  /**
   * Keeps the vector from firing; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws UnsupportedOperationException if this kind cannot be masked
   * @throws VfioException if the kernel refuses
   */
  public void mask() throws VfioException {
    requireMaskable();
    kind.irqSet().mask(vector);
  }

  /**
   * Lets the vector fire again; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws UnsupportedOperationException if this kind cannot be masked
   * @throws VfioException if the kernel refuses
   */
  public void unmask() throws VfioException {
    requireMaskable();
    kind.irqSet().unmask(vector);
  }

  private void requireMaskable() {
    if (!kind.maskable()) {
      throw new UnsupportedOperationException(kind + " cannot be masked");
    }
  }

  /**
   * Disables the vector and wakes whoever waits for it. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the vector stays enabled then
   */
  @Override
  public void close() throws VfioException {
    kind.disable(this);
  }

  /** Closes the eventfd alone. */
  void closeEvent() throws VfioException {
    EventDispatcher.Registration consumer = registration();
    int answer = event.close();
    if (consumer != null) {
      consumer.sourceClosed();
    }
    if (answer < 0) {
      throw Failure.of("close", toString(), answer, "");
    }
  }

  /** Returns what messages call this interrupt. */
  @Override
  public String toString() {
    return "vector " + vector + " of " + kind;
  }
}
