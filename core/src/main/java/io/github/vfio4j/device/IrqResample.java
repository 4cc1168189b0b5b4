package io.github.vfio4j.device;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.EventFd;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.outcome.Answer;

/** The eventfd that unmasks a vector. */
public final class IrqResample implements Interrupt.Resample {
  private final IrqVectors kind;
  private final IrqVector vector;
  private final EventFd event;

  IrqResample(IrqVectors kind, IrqVector vector, EventFd event) {
    this.kind = kind;
    this.vector = vector;
    this.event = event;
  }

  IrqVector vector() {
    return vector;
  }

  /** Returns whether it is this vector that it unmasks. */
  public boolean isOf(Interrupt interrupt) {
    return vector.equals(interrupt);
  }

  /** Returns the eventfd, to be signalled by whoever else takes it. */
  public Fd file() {
    return event.fd();
  }

  @Override
  public void signal() throws VfioException {
    Answer.require("write", toString(), event.signal(), "");
  }

  @Override
  public void close() throws VfioException {
    kind.end(this);
  }

  /** Closes the eventfd alone. */
  void closeEvent() throws VfioException {
    Answer.require("close", toString(), event.close(), "");
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "the resample of " + vector;
  }
}
