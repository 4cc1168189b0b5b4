package io.github.vfio4j.model.nvme;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * What an {@link NvmeModel} does wrong. Each fault happens to the next commands of I/O queues, once
 * for each time that it was set, in that order; those of admin commands have an order of their own.
 * Thread-safe.
 *
 * <p>Lost interrupts and a device that has gone are faults of the host, see {@link
 * io.github.vfio4j.model.Faults}.
 */
public final class NvmeFaults {
  /** What happens to a command. */
  enum Kind {
    NONE,
    STATUS,
    NEVER_ENDS,
    HANGS,
    WRONG_IDENTIFIER,
    WRONG_PHASE,
    WRONG_RESULT,
    FATAL
  }

  /** One fault, and the status that goes with it. */
  record Fault(Kind kind, int status) {}

  private final Queue<Fault> planned = new ArrayDeque<>();
  private final Queue<Fault> plannedOfAdmin = new ArrayDeque<>();
  private boolean staysReady;
  private boolean neverReady;

  NvmeFaults() {}

  /**
   * Has the next command fail.
   *
   * @param status the status field of its completion, without the phase: code, type in the bits
   *     from 8 on, Do Not Retry in bit 14
   * @throws IllegalArgumentException if it has more than 15 bits, or says that all is well
   */
  public void fail(int status) {
    plan(new Fault(Kind.STATUS, requireFailed(status)));
  }

  private static int requireFailed(int status) {
    if (status >>> 15 != 0 || (status & 0x7ff) == 0) {
      throw new IllegalArgumentException("0x%x is no failed status".formatted(status));
    }
    return status;
  }

  /**
   * Has the next admin command fail.
   *
   * @param status as {@link #fail}'s
   * @throws IllegalArgumentException as {@link #fail}
   */
  public void failAdmin(int status) {
    planOfAdmin(new Fault(Kind.STATUS, requireFailed(status)));
  }

  /** Has the next admin command go well, for a fault of a later one. */
  public void spareAdmin() {
    planOfAdmin(new Fault(Kind.NONE, 0));
  }

  /** Has the next admin command never be answered. */
  public void ignoreAdmin() {
    planOfAdmin(new Fault(Kind.NEVER_ENDS, 0));
  }

  /** Has the answer to the next admin command name one that was never given. */
  public void answerAnotherOfAdmin() {
    planOfAdmin(new Fault(Kind.WRONG_IDENTIFIER, 0));
  }

  /** Has the controller die of the next admin command, as {@link #die}. */
  public void dieOfAdmin() {
    planOfAdmin(new Fault(Kind.FATAL, 0));
  }

  /** Has the controller not stop when it is told to, until its function is reset. */
  public synchronized void stayReady() {
    staysReady = true;
  }

  synchronized boolean staysReady() {
    return staysReady;
  }

  /**
   * Has the controller not get ready when it is told to, or get ready again.
   *
   * @param never whether it does not
   */
  public synchronized void neverGetReady(boolean never) {
    neverReady = never;
  }

  synchronized boolean neverReady() {
    return neverReady;
  }

  /** Ends what a reset of the function ends. */
  synchronized void resetFunction() {
    staysReady = false;
  }

  /**
   * Has the next command never end, not even when it is to be aborted. It is carried out, so what
   * it reads is overwritten.
   */
  public void neverEnd() {
    plan(new Fault(Kind.NEVER_ENDS, 0));
  }

  /** Has the next command not be carried out, and not end before it is aborted. */
  public void hang() {
    plan(new Fault(Kind.HANGS, 0));
  }

  /** Has the next completion name a command that was never given. */
  public void answerAnother() {
    plan(new Fault(Kind.WRONG_IDENTIFIER, 0));
  }

  /**
   * Has the next completion have a result of all ones, for example the place of what was appended.
   */
  public void answerAllOnes() {
    plan(new Fault(Kind.WRONG_RESULT, 0));
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

  private synchronized void planOfAdmin(Fault fault) {
    plannedOfAdmin.add(fault);
  }

  /** Takes the next fault of an admin command, or none. */
  synchronized Optional<Fault> nextOfAdmin() {
    return Optional.ofNullable(plannedOfAdmin.poll());
  }

  /** Takes the next fault, or none. */
  synchronized Optional<Fault> next() {
    return Optional.ofNullable(planned.poll());
  }
}
