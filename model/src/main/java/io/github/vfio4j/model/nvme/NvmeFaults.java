package io.github.vfio4j.model.nvme;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * What an {@link NvmeModel} does wrong. Each fault happens to the next commands of I/O queues, once
 * for each time that it was set, in that order. Thread-safe.
 *
 * <p>Lost interrupts and a device that has gone are faults of the host, see {@link
 * io.github.vfio4j.model.Faults}.
 */
public final class NvmeFaults {
  /** What happens to a command. */
  enum Kind {
    STATUS,
    NEVER_ENDS,
    WRONG_IDENTIFIER,
    WRONG_PHASE,
    FATAL
  }

  /** One fault, and the status that goes with it. */
  record Fault(Kind kind, int status) {}

  private final Queue<Fault> planned = new ArrayDeque<>();

  NvmeFaults() {}

  /**
   * Has the next command fail.
   *
   * @param status the status field of its completion, without the phase: code, type in the bits
   *     from 8 on, Do Not Retry in bit 14
   * @throws IllegalArgumentException if it has more than 15 bits, or says that all is well
   */
  public void fail(int status) {
    if (status >>> 15 != 0 || (status & 0x7ff) == 0) {
      throw new IllegalArgumentException("0x%x is no failed status".formatted(status));
    }
    plan(new Fault(Kind.STATUS, status));
  }

  /** Has the next command never end. It is carried out, so what it reads is overwritten. */
  public void neverEnd() {
    plan(new Fault(Kind.NEVER_ENDS, 0));
  }

  /** Has the next completion name a command that was never given. */
  public void answerAnother() {
    plan(new Fault(Kind.WRONG_IDENTIFIER, 0));
  }

  /** Has the next completion have the phase of the round before, as if it was not there. */
  public void keepPhase() {
    plan(new Fault(Kind.WRONG_PHASE, 0));
  }

  /** Has the controller die of the next command: fatal status, and nothing ends any more. */
  public void die() {
    plan(new Fault(Kind.FATAL, 0));
  }

  private synchronized void plan(Fault fault) {
    planned.add(fault);
  }

  /** Takes the next fault, or none. */
  synchronized Optional<Fault> next() {
    return Optional.ofNullable(planned.poll());
  }
}
