package io.github.vfio4j.event;

import io.github.vfio4j.EventSource;

/**
 * Is told of what has happened.
 *
 * @param <S> where
 * @param <E> what: of an {@link io.github.vfio4j.Interrupt} how often it has fired, of queues the
 *     list of what has arrived
 */
@FunctionalInterface
public interface EventHandler<S extends EventSource<E>, E> {
  /**
   * Handles events, on the dispatcher's thread.
   *
   * <p>Devices whose page faults are delivered wait until each is {@linkplain
   * io.github.vfio4j.iommufd.FaultQueue#respond answered}, which may be done later and from another
   * thread.
   *
   * @param source where they happened
   * @param event what has happened since the last call
   */
  void onEvent(S source, E event);
}
