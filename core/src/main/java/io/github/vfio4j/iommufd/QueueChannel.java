package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.channel.Subscriber;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.QueueFile;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a dispatcher watches a queue of the kernel's.
 *
 * @param queue the queue's file
 * @param reader waits for events
 * @param subscriber who is told of them
 */
record QueueChannel<E>(QueueFile queue, Reader<E> reader, Subscriber subscriber)
    implements EventChannel<List<E>> {
  /** Waits for events as the queue's public method does. */
  @FunctionalInterface
  interface Reader<E> {
    List<E> await(Duration timeout) throws VfioException;
  }

  @Override
  public Fd file() {
    return queue.fd();
  }

  @Override
  public @Nullable List<E> take() throws VfioException {
    List<E> events = reader.await(Duration.ZERO);
    return events.isEmpty() ? null : events;
  }
}
