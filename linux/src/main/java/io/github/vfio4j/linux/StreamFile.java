package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A file from which the kernel streams, or to which it is streamed.
 *
 * <p>Whoever waits for it is woken by an eventfd when it is closed. A call that is in the kernel
 * meanwhile is waited for: not every driver that streams can be told to stop.
 */
public final class StreamFile {
  private static final short POLLIN = 1;
  private static final short POLLOUT = 4;
  private static final int EINTR = 4;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long POLLFD = 8;
  private static final long POLLFD_EVENTS = 4;
  private static final long TIMESPEC = 2 * POLLFD;
  private static final long TIMESPEC_SIZE = 16;

  private final Kernel kernel;
  private final Fd fd;
  private final EventFd closing;
  private final WokenFile life;

  /**
   * Makes room for a file that is about to be opened; {@link #take} comes next.
   *
   * @param closing an open eventfd that nobody else uses
   * @param object what messages call it
   */
  public StreamFile(Kernel kernel, EventFd closing, Object object) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, object);
    this.closing = closing;
    this.life = new WokenFile(fd, closing);
  }

  /** Takes over the open file, once. */
  public void take(int number) {
    fd.take(number);
  }

  /** Returns whether closing has begun. */
  public boolean isClosed() {
    return life.isClosed();
  }

  /** Issues an ioctl and returns the kernel's answer. */
  public int ioctl(Ioctl operation, MemorySegment argument) {
    return fd.ioctl(operation, argument);
  }

  /**
   * Waits until there is something to read.
   *
   * @param nanos how long, in nanoseconds
   * @return above 0 if there is, 0 when the time ran out, or a negated error number
   * @throws IllegalStateException if it is or gets closed
   */
  public int awaitReadable(long nanos) {
    return await(POLLIN, nanos);
  }

  /** Waits likewise until there is room to write. */
  public int awaitWritable(long nanos) {
    return await(POLLOUT, nanos);
  }

  private int await(short events, long nanos) {
    int file = fd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      int wake = closing.fd().acquire();
      try {
        MemorySegment polled = arena.allocate(TIMESPEC + TIMESPEC_SIZE, Long.BYTES);
        polled.set(JAVA_INT, 0, file);
        polled.set(JAVA_SHORT, POLLFD_EVENTS, events);
        polled.set(JAVA_INT, POLLFD, wake);
        polled.set(JAVA_SHORT, POLLFD + POLLFD_EVENTS, POLLIN);
        MemorySegment timeout = polled.asSlice(TIMESPEC, TIMESPEC_SIZE);
        timeout.set(JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
        timeout.set(JAVA_LONG, Long.BYTES, nanos % NANOS_PER_SECOND);
        int ready = kernel.poll(polled, 2, timeout);
        life.requireOpen();
        return ready == -EINTR ? 0 : ready;
      } finally {
        closing.fd().release();
      }
    } finally {
      fd.release();
    }
  }

  /** Reads what there is, and answers as the kernel does. */
  public long read(MemorySegment buffer) {
    int file = fd.acquire();
    try {
      life.requireOpen();
      return kernel.read(file, buffer);
    } finally {
      fd.release();
    }
  }

  /** Writes what there is room for, and answers as the kernel does. */
  public long write(MemorySegment buffer) {
    int file = fd.acquire();
    try {
      life.requireOpen();
      return kernel.write(file, buffer);
    } finally {
      fd.release();
    }
  }

  /**
   * Wakes whoever waits, and closes the file, once.
   *
   * @return 0, or the first negated error number
   */
  public int close() {
    return life.close();
  }

  @Override
  public String toString() {
    return fd.toString();
  }
}
