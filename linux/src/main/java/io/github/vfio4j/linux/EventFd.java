package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An eventfd: a counter that the kernel raises and a thread waits for.
 *
 * <p>Closing wakes every waiter and waits until all have left. No method but the constructor
 * allocates.
 */
public final class EventFd {
  private static final int EFD_CLOEXEC = 0x80000;
  private static final int EFD_NONBLOCK = 0x800;
  private static final short POLLIN = 1;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  /**
   * For how long a waiter sleeps before it looks whether it is closed: others that read the
   * counter, as KVM and other processes, may take the signal that was to wake it.
   */
  private static final long SLICE = 100_000_000;

  /** A {@code struct pollfd}, a {@code struct timespec} and the counter, one set per thread. */
  private static final long POLLFD = 0;

  private static final long POLLFD_EVENTS = 4;
  private static final long TIMESPEC = 8;
  private static final long TIMESPEC_NANOS = 16;
  private static final long COUNTER = 24;

  private record Scratch(MemorySegment whole, MemorySegment timespec, MemorySegment counter) {
    static Scratch allocate() {
      MemorySegment whole = Arena.ofAuto().allocate(32, 8);
      whole.set(JAVA_SHORT, POLLFD_EVENTS, POLLIN);
      return new Scratch(whole, whole.asSlice(TIMESPEC, 16), whole.asSlice(COUNTER, 8));
    }
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::allocate);

  private final Kernel kernel;
  private final Fd fd;
  private volatile boolean closed;

  /**
   * Makes room for an eventfd; {@link #open} comes next.
   *
   * @param object what messages call it
   */
  public EventFd(Kernel kernel, Object object) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, object);
  }

  /**
   * Asks for the eventfd, once, which is closed on exec and read without blocking; answers as the
   * kernel does.
   */
  public int open() {
    return fd.take(kernel.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  }

  /** Takes over an open eventfd that another process has passed; answers as the kernel did. */
  public int take(int answer) {
    return fd.take(answer);
  }

  /** Returns the file, to be lent to a call that takes its number. */
  public Fd fd() {
    return fd;
  }

  /**
   * Waits until the counter is above zero, and sets it to zero.
   *
   * @param nanos how long to wait, in nanoseconds; negative waits without end
   * @return the counter, 0 when the time ran out, or a negated error number
   * @throws IllegalStateException if it is or gets closed
   */
  public long await(long nanos) {
    int number = fd.acquire();
    try {
      requireOpen(); // or nobody would wake this one, see close
      Scratch scratch = SCRATCH.get();
      long deadline = nanos < 0 ? 0 : System.nanoTime() + nanos;
      long left = nanos;
      while (true) {
        int ready = poll(scratch, number, nanos < 0 ? SLICE : Math.min(left, SLICE));
        requireOpen();
        if (ready > 0) {
          long count = readCounter(scratch, number);
          if (count != -EAGAIN) {
            return count;
          }
        } else if (ready < 0 && ready != -EINTR) {
          return ready;
        }
        if (nanos >= 0) {
          left = deadline - System.nanoTime();
          if (left <= 0) {
            return 0;
          }
        }
      }
    } finally {
      fd.release();
    }
  }

  /**
   * Sets the counter to zero without waiting.
   *
   * @return what it was, or a negated error number
   * @throws IllegalStateException if it is closed
   */
  public long take() {
    int number = fd.acquire();
    try {
      requireOpen();
      long count = readCounter(SCRATCH.get(), number);
      return count == -EAGAIN ? 0 : count;
    } finally {
      fd.release();
    }
  }

  /**
   * Adds one to the counter.
   *
   * @return 8, or a negated error number
   */
  public long signal() {
    int number = fd.acquire();
    try {
      return signal(SCRATCH.get(), number);
    } finally {
      fd.release();
    }
  }

  private long signal(Scratch scratch, int number) {
    scratch.counter.set(JAVA_LONG, 0, 1);
    return kernel.write(number, scratch.counter);
  }

  private int poll(Scratch scratch, int number, long nanos) {
    scratch.whole.set(JAVA_INT, POLLFD, number);
    if (nanos < 0) {
      return kernel.repeatablePoll(scratch.whole, 1, MemorySegment.NULL);
    }
    scratch.whole.set(JAVA_LONG, TIMESPEC, nanos / NANOS_PER_SECOND);
    scratch.whole.set(JAVA_LONG, TIMESPEC_NANOS, nanos % NANOS_PER_SECOND);
    return kernel.repeatablePoll(scratch.whole, 1, scratch.timespec);
  }

  private long readCounter(Scratch scratch, int number) {
    long answer = kernel.repeatableRead(number, scratch.counter);
    if (answer < 0) {
      return answer;
    }
    long count = scratch.counter.get(JAVA_LONG, 0);
    if (closed) { // the count may have been the signal that was to wake all other waiters
      signal(scratch, number);
    }
    return count;
  }

  /** Returns whether closing has begun, from which moment on waiting fails. */
  public boolean isClosed() {
    return closed;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(fd + " is closed");
    }
  }

  /**
   * Wakes all waiters and closes the file, once; later calls do nothing. Where nobody waits it is
   * not signalled: others may have it, and count.
   *
   * @return 0, or a negated error number
   */
  public int close() {
    closed = true;
    if (!fd.isClosed() && fd.isUsed()) {
      try {
        signal();
      } catch (IllegalStateException closedMeanwhile) {
        return 0;
      }
    }
    return fd.close();
  }
}
