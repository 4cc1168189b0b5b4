package io.github.vfio4j.device;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.channel.EventChannel;
import io.github.vfio4j.channel.Subscriber;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** An enabled vector. Waiting is hot code, and allocates nothing. */
final class IrqVector implements Interrupt, EventChannel<Long>, EventChannel.Source<Long> {
  private final IrqVectors kind;
  private final int vector;
  private final EventFd event;
  private final Subscriber subscriber = new Subscriber();

  /** Guarded by the kind's monitor, as is whether the vector is enabled. */
  private @Nullable IrqResample resample;

  IrqVector(IrqVectors kind, int vector, EventFd event) {
    this.kind = kind;
    this.vector = vector;
    this.event = event;
  }

  @Override
  public EventChannel<Long> channel() {
    return this;
  }

  @Override
  public Fd file() {
    return event.fd();
  }

  @Override
  public Subscriber subscriber() {
    return subscriber;
  }

  @Override
  public boolean isClosed() {
    return event.isClosed();
  }

  @Override
  public int vector() {
    return vector;
  }

  @Override
  public @Nullable Long take() throws VfioException {
    long count = awaitNanos(0);
    return count == 0 ? null : count;
  }

  @Override
  public long await(Duration timeout) throws VfioException {
    return awaitNanos(Timeout.nanos(timeout));
  }

  @Override
  public long awaitNanos(long nanos) throws VfioException {
    long count = nanos == 0 ? event.take() : event.await(nanos);
    if (count < 0) {
      throw Answer.failure("read", toString(), (int) count, "");
    }
    return count;
  }

  @Override
  public void trigger() throws VfioException {
    kind.ask(this, () -> kind.irqSet().trigger(vector));
  }

  @Override
  public void mask() throws VfioException {
    requireMaskable();
    kind.ask(this, () -> kind.irqSet().mask(vector));
  }

  @Override
  public void unmask() throws VfioException {
    requireMaskable();
    kind.ask(this, () -> kind.irqSet().unmask(vector));
  }

  @Override
  public Resample resample() throws VfioException {
    requireMaskable();
    return kind.resample(this);
  }

  private void requireMaskable() {
    if (!kind.maskable()) {
      throw new UnsupportedOperationException(kind + " cannot be masked");
    }
  }

  @Override
  public void close() throws VfioException {
    kind.disable(this);
  }

  @Nullable IrqResample unmasking() {
    return resample;
  }

  void unmasking(@Nullable IrqResample eventfd) {
    resample = eventfd;
  }

  /** Takes over an eventfd that the kernel signals already. */
  int take(int fd) {
    return event.take(fd);
  }

  /** Closes what the kernel no longer has: the eventfd, and the one that unmasks the vector. */
  void closeEvent() throws VfioException {
    Closing closing = new Closing();
    IrqResample unmasking = resample;
    if (unmasking != null) {
      resample = null;
      closing.attempt(unmasking::closeEvent);
    }
    subscriber.sourceCloses();
    closing.attempt(() -> Answer.require("close", toString(), event.close(), ""));
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "vector " + vector + " of " + kind;
  }
}
