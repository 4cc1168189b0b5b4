package io.github.vfio4j.kvm;

import io.github.vfio4j.EventSource;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.channel.Subscriber;
import io.github.vfio4j.device.Timeout;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Is signalled each time that a guest has acknowledged an interrupt that stays up until it is dealt
 * with: an eventfd.
 *
 * <p>Consume it by {@link #await} or through an {@link io.github.vfio4j.event.EventDispatcher}.
 * Thread-safe. After {@link #close} methods throw {@link IllegalStateException}.
 */
@SuppressWarnings("exports") // the channel is for the packages of this module
public final class ResampleEvent
    implements EventSource<Long>, EventChannel<Long>, EventChannel.Source<Long>, AutoCloseable {
  private final EventFd event;
  private final Subscriber subscriber = new Subscriber();

  private ResampleEvent(EventFd event) {
    this.event = event;
  }

  /**
   * Makes one; {@code eventfd2}.
   *
   * @return the event; the caller closes it
   * @throws VfioException if the kernel refuses
   */
  public static ResampleEvent create() throws VfioException {
    return create(RunningKernel.get());
  }

  static ResampleEvent create(Kernel kernel) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      EventFd event = new EventFd(kernel, "resample event");
      rollback.add(event::close);
      ResampleEvent made = new ResampleEvent(event);
      Answer.require("eventfd", "resample event", event.open(), "");
      return rollback.done(made);
    }
  }

  EventFd event() {
    return event;
  }

  /**
   * Waits until it is signalled, or has been since the last call.
   *
   * @param timeout how long to wait; zero only looks
   * @return how often it was, or 0 when the time ran out
   * @throws IllegalArgumentException if the timeout is negative
   * @throws IllegalStateException if it is closed, or gets closed while waiting
   * @throws VfioException if the kernel refuses
   */
  public long await(Duration timeout) throws VfioException {
    long count = event.await(Timeout.nanos(timeout));
    if (count < 0) {
      throw Answer.failure("read", toString(), (int) count, "");
    }
    return count;
  }

  @Override
  public boolean isClosed() {
    return event.isClosed();
  }

  /**
   * For the packages of this module.
   *
   * @return how it is watched
   */
  @Override
  public EventChannel<Long> channel() {
    return this;
  }

  /**
   * For the packages of this module.
   *
   * @return the eventfd
   */
  @Override
  public Fd file() {
    return event.fd();
  }

  /**
   * For the packages of this module.
   *
   * @return what has happened, or null
   */
  @Override
  public @Nullable Long take() throws VfioException {
    long count = await(Duration.ZERO);
    return count == 0 ? null : count;
  }

  /**
   * For the packages of this module.
   *
   * @return who is told
   */
  @Override
  public Subscriber subscriber() {
    return subscriber;
  }

  /**
   * Wakes whoever waits and closes it; a connection that it was given to goes on without. Later
   * calls do nothing.
   *
   * @throws VfioException if the kernel tells of an error; it is closed all the same
   */
  @Override
  public void close() throws VfioException {
    subscriber.sourceCloses();
    Answer.require("close", toString(), event.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return event.fd().object();
  }
}
