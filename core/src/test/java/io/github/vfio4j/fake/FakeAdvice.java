package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** What the kernel was told of pages, or asked to do with them: the real one does it. */
public final class FakeAdvice {
  /** A call, and the thread that made it. */
  public record Call(long address, long length, int advice, Thread by) {}

  private final Kernel real;
  private final List<Call> calls = new ArrayList<>();
  private Predicate<Call> refused = call -> false;
  private int refusal;

  FakeAdvice(Kernel real) {
    this.real = real;
  }

  /**
   * Has the kernel refuse such calls. They can be looked at while the thread that makes one waits.
   */
  public synchronized void refuse(Predicate<Call> such, Errno errno) {
    refused = such;
    refusal = -errno.number();
  }

  /** Returns the calls with this advice so far. */
  public synchronized List<Call> calls(int advice) {
    return calls.stream().filter(call -> call.advice == advice).toList();
  }

  int give(long address, long length, int advice) {
    Call call = new Call(address, length, advice, Thread.currentThread());
    Predicate<Call> such;
    synchronized (this) {
      calls.add(call);
      such = refused;
    }
    return such.test(call) ? refusal : real.madvise(address, length, advice);
  }
}
