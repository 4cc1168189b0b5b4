package io.github.vfio4j.channel;

import io.github.vfio4j.EventSource;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import org.jspecify.annotations.Nullable;

/**
 * What a source of events has to do so that {@link io.github.vfio4j.event.EventDispatcher} can
 * watch it.
 *
 * @param <E> what has happened
 */
public interface EventChannel<E> {
  /**
   * A source of events with its channel.
   *
   * @param <E> what has happened
   */
  interface Source<E> extends EventSource<E> {
    /** Returns how it is watched. */
    EventChannel<E> channel();
  }

  /** Returns the file that is readable when something has happened. */
  Fd file();

  /** Takes what has happened since the last call, without waiting; null where nothing has. */
  @Nullable E take() throws VfioException;

  /** Returns who is told of the events. */
  Subscriber subscriber();
}
