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
   * An eventfd that lets a vector fire again, as {@link Interrupt#unmask} does, without a call on
   * the device: what a virtual machine's end of interrupt signals. Methods may be called from any
   * thread.
   */
  interface Resample extends AutoCloseable {
    /**
     * Lets the vector fire again. Where the device still holds its line, it fires at once.
     *
     * @throws IllegalStateException if it is closed, or the interrupt is
     * @throws VfioException if the kernel refuses
     */
    void signal() throws VfioException;

    /**
     * Takes the eventfd from the vector, which stays as it is, masked or not. Later calls do
     * nothing, as after the interrupt was closed.
     *
     * @throws VfioException if the kernel refuses; the eventfd still unmasks the vector then
     */
    @Override
    void close() throws VfioException;
  }

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
   * Has an eventfd unmask the vector from now on, beside {@link #unmask}; {@code
   * VFIO_DEVICE_SET_IRQS} with {@code ACTION_UNMASK} and {@code DATA_EVENTFD}.
   *
   * @return the eventfd; the caller closes it, or the interrupt does. A vector has one at a time
   * @throws UnsupportedOperationException if this kind cannot be masked
   * @throws IllegalStateException if the interrupt is closed
   * @throws DeviceBusyException if the vector has one already
   * @throws VfioException if the kernel refuses
   */
  Resample resample() throws VfioException;

  /**
   * Disables the vector and wakes whoever waits for it. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses; the vector stays enabled then
   */
  @Override
  void close() throws VfioException;
}
