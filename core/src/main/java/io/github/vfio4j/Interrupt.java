package io.github.vfio4j;

import java.time.Duration;

/**
 * An enabled interrupt vector, and the eventfd that it signals.
 *
 * <p>Consume it either by {@link #await} or through an {@link
 * io.github.vfio4j.event.EventDispatcher}, whose handlers are told how often it fired. Methods may
 * be called from any thread; with several waiters one of them gets the signal. {@link #await}
 * blocks the carrier of a virtual thread: use the dispatcher there.
 */
public interface Interrupt extends EventSource<Long>, AutoCloseable {
  /**
   * Returns which vector this is.
   *
   * @return its number, from 0
   */
  int vector();

  /**
   * Waits until the vector fires, or has fired since the last call.
   *
   * @param timeout how long to wait, to the nanosecond; zero only looks
   * @return how often it fired, or 0 when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if the interrupt is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  long await(Duration timeout) throws VfioException;

  /**
   * Waits as {@link #await(Duration)} does.
   *
   * @param nanos how long to wait, in nanoseconds; negative waits without end, zero only looks
   * @return how often it fired, or 0 when the time ran out
   * @throws IllegalStateException if the interrupt is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  long awaitNanos(long nanos) throws VfioException;

  /**
   * Makes the vector fire as if the device had raised it; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws IllegalStateException if the interrupt is closed
   * @throws VfioException if the kernel refuses
   */
  void trigger() throws VfioException;

  /**
   * Keeps the vector from firing; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws UnsupportedOperationException if this kind cannot be masked
   * @throws IllegalStateException if the interrupt is closed
   * @throws VfioException if the kernel refuses
   */
  void mask() throws VfioException;

  /**
   * Lets the vector fire again; {@code VFIO_DEVICE_SET_IRQS}.
   *
   * @throws UnsupportedOperationException if this kind cannot be masked
   * @throws IllegalStateException if the interrupt is closed
   * @throws VfioException if the kernel refuses
   */
  void unmask() throws VfioException;

  /**
   * Disables the vector and wakes whoever waits for it. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the vector stays enabled then
   */
  @Override
  void close() throws VfioException;
}
