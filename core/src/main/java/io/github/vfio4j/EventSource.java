package io.github.vfio4j;

/**
 * What an {@code EventDispatcher} can watch: interrupts, page faults, events of virtual IOMMUs.
 *
 * @param <E> what has happened, as handlers are told
 */
public interface EventSource<E> {
  /**
   * Returns whether the source was closed.
   *
   * @return whether closing has begun
   */
  boolean isClosed();
}
