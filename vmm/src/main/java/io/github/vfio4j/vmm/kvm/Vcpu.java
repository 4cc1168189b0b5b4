package io.github.vfio4j.vmm.kvm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_run;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.linux.ThreadCalls;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import java.lang.foreign.MemorySegment;

/**
 * A virtual processor. One thread runs it; any other may have it {@linkplain #kick stop}.
 *
 * <p>A kick sets a flag that the kernel looks at before it runs the guest, and then sends the
 * thread a signal, which takes it out of the guest or out of its sleep: so none gets lost.
 */
public final class Vcpu implements AutoCloseable {
  /** A real-time signal that neither the C library nor the Java virtual machine uses. */
  private static final int SIGNAL = 40;

  private final Vm machine;
  private final ThreadCalls threads;
  private final Kernel kernel;
  private final int id;
  private final Fd file;
  private final Pages pages;
  private final MemorySegment run;

  /**
   * The thread that runs it, 0 for none. Guarded by this, so that no signal comes after its end.
   */
  private int thread;

  Vcpu(Vm machine, Kernel kernel, int id, Fd file, Pages pages) {
    this.machine = machine;
    this.kernel = kernel;
    this.threads = kernel.threads();
    this.id = id;
    this.file = file;
    this.pages = pages;
    this.run = pages.segment();
  }

  /** Returns its number, from 0. */
  public int id() {
    return id;
  }

  /** Returns the {@code struct kvm_run} that this process and the kernel share. */
  public MemorySegment state() {
    return run;
  }

  /** Issues an ioctl on the processor. */
  public void ask(Ioctl operation, MemorySegment request) throws VfioException {
    Answer.require(operation, toString(), file.ioctl(operation, request));
  }

  /** Issues an ioctl on the processor that answers with a number. */
  public int count(Ioctl operation, MemorySegment request) throws VfioException {
    return Answer.require(operation, toString(), file.ioctl(operation, request));
  }

  /** Takes the calling thread for the one that runs it, until {@link #leave}. */
  public synchronized void enter() throws VfioException {
    Answer.require("sigaction", toString(), threads.letInterrupt(SIGNAL), "");
    thread = threads.self();
  }

  /** Ends what {@link #enter} began. */
  public synchronized void leave() {
    thread = 0;
  }

  /**
   * Runs the guest until the processor stops; {@code KVM_RUN}.
   *
   * @return whether it stopped for a reason that is to be looked at; if not, it was kicked
   */
  public boolean run() throws VfioException {
    int number = file.acquire();
    int answer;
    try {
      answer = kernel.enter(number);
    } finally {
      file.release();
    }
    if (Answer.is(answer, Errno.EINTR) || Answer.is(answer, Errno.EAGAIN)) {
      return false;
    }
    Answer.require(Ioctl.KVM_RUN, toString(), answer);
    return true;
  }

  /** Has {@link #run} return soon, now and each time from now on. */
  public synchronized void kick() throws VfioException {
    run.set(JAVA_BYTE, kvm_run.immediate_exit$OFFSET, (byte) 1);
    if (thread != 0) {
      Answer.require("tgkill", toString(), threads.interrupt(thread, SIGNAL), "");
    }
  }

  /** Ends what {@link #kick} began, before another thread runs it. */
  public synchronized void calm() {
    run.set(JAVA_BYTE, kvm_run.immediate_exit$OFFSET, (byte) 0);
  }

  /** Closes it; no thread runs it any more. */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    closing.attempt(() -> Answer.require("munmap", toString(), pages.free(), ""));
    closing.attempt(() -> Answer.require("close", toString(), file.close(), ""));
    machine.forget(this);
    closing.rethrow();
  }

  @Override
  public String toString() {
    return file.object();
  }
}
