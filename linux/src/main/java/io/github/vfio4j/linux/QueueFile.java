package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A file from which a thread reads what the kernel has queued, and waits for it.
 *
 * <p>Reading it never blocks; waiting watches it together with an eventfd that closing signals.
 */
public final class QueueFile {
  private static final short POLLIN = 1;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long POLLFD = 8;
  private static final long POLLFD_EVENTS = 4;

  private final Kernel kernel;
  private final Fd fd;
  private final EventFd closing;
  private volatile boolean closed;

  /**
   * Takes over an open file and an eventfd that nobody else uses.
   *
   * @param number the open file
   * @param object what messages call it
   */
  public QueueFile(Kernel kernel, int number, EventFd closing, String object) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, number, object);
    this.closing = closing;
  }

  /** Returns the file, to be watched by epoll. */
  public Fd fd() {
    return fd;
  }

  /** Returns whether closing has begun. */
  public boolean isClosed() {
    return closed;
  }

  /**
   * Reads what is queued, and waits until there is something.
   *
   * @param nanos how long to wait, in nanoseconds; negative waits without end, zero only looks
   * @return how many bytes were read, 0 when the time ran out, or a negated error number
   * @throws IllegalStateException if it is or gets closed
   */
  public long read(MemorySegment buffer, long nanos) {
    int file = fd.acquire();
    try {
      int wake = closing.fd().acquire();
      try {
        return read(file, wake, buffer, nanos);
      } finally {
        closing.fd().release();
      }
    } finally {
      fd.release();
    }
  }

  private long read(int file, int wake, MemorySegment buffer, long nanos) {
    try (Arena arena = Arena.ofConfined()) {
      long deadline = System.nanoTime() + nanos;
      while (true) {
        requireOpen();
        long answer = kernel.read(file, buffer);
        long left = nanos < 0 ? nanos : deadline - System.nanoTime();
        if (answer != 0 && answer != -EAGAIN && answer != -EINTR) {
          return answer;
        }
        if (nanos >= 0 && left <= 0) {
          return 0;
        }
        int ready = poll(arena, file, wake, left);
        if (ready < 0 && ready != -EINTR) {
          return ready;
        }
      }
    }
  }

  private int poll(Arena arena, int file, int wake, long nanos) {
    MemorySegment fds = arena.allocate(2 * POLLFD, Long.BYTES);
    fds.set(JAVA_INT, 0, file);
    fds.set(JAVA_SHORT, POLLFD_EVENTS, POLLIN);
    fds.set(JAVA_INT, POLLFD, wake);
    fds.set(JAVA_SHORT, POLLFD + POLLFD_EVENTS, POLLIN);
    if (nanos < 0) {
      return kernel.poll(fds, 2, MemorySegment.NULL);
    }
    MemorySegment timespec = arena.allocate(16, Long.BYTES);
    timespec.set(JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
    timespec.set(JAVA_LONG, Long.BYTES, nanos % NANOS_PER_SECOND);
    return kernel.poll(fds, 2, timespec);
  }

  /** Writes to the file and answers as the kernel does. */
  public long write(MemorySegment buffer) {
    int number = fd.acquire();
    try {
      return kernel.write(number, buffer);
    } finally {
      fd.release();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(fd + " is closed");
    }
  }

  /**
   * Wakes all readers, waits until they have left, and closes the file, once.
   *
   * @return 0, or the first negated error number
   */
  public int close() {
    synchronized (this) {
      if (closed) {
        return 0;
      }
      closed = true;
    }
    long signalled = closing.signal();
    int answer = fd.close();
    int closingAnswer = closing.close();
    if (signalled < 0) {
      return (int) signalled;
    }
    return answer < 0 ? answer : closingAnswer;
  }
}
