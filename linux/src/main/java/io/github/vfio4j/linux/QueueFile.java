package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A file from which a thread reads what the kernel has queued, and waits for it.
 *
 * <p>Reading it never blocks; waiting watches it together with an eventfd that closing signals. The
 * room that is read into is kept, and grown when something arrives that does not fit: the kernel
 * hands out only what fits whole, and tells by answering 0 or EINVAL.
 */
public final class QueueFile {
  /** The answer where something has arrived that does not fit into the largest room either. */
  public static final long TOO_LARGE = Long.MIN_VALUE;

  private static final int DOUBLINGS = 10;

  private static final short POLLIN = 1;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final int EINVAL = 22;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long POLLFD = 8;
  private static final long POLLFD_EVENTS = 4;
  private static final long TIMESPEC = 2 * POLLFD;
  private static final long TIMESPEC_SIZE = 16;

  /** Two {@code struct pollfd} and a {@code struct timespec}, one set per thread. */
  private record Scratch(MemorySegment whole, MemorySegment timespec) {
    static Scratch allocate() {
      MemorySegment whole = Arena.ofAuto().allocate(TIMESPEC + TIMESPEC_SIZE, Long.BYTES);
      whole.set(JAVA_SHORT, POLLFD_EVENTS, POLLIN);
      whole.set(JAVA_SHORT, POLLFD + POLLFD_EVENTS, POLLIN);
      return new Scratch(whole, whole.asSlice(TIMESPEC, TIMESPEC_SIZE));
    }
  }

  private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::allocate);

  /** Makes something of what was read, before the next reader gets the room. */
  @FunctionalInterface
  public interface Parser<T, X extends Exception> {
    /**
     * Makes something of what was read.
     *
     * @param room where it is
     * @param answer how many bytes were read, 0 when the time ran out, {@link #TOO_LARGE}, or a
     *     negated error number
     */
    T parse(MemorySegment room, long answer) throws X;
  }

  private final Kernel kernel;
  private final Fd fd;
  private final EventFd closing;
  private final long mostRoom;

  /** Held while reading into the room and parsing what is there; never while waiting. */
  private final Object reading = new Object();

  private MemorySegment room;
  private final WokenFile life;

  /**
   * Makes room for a file that is about to be opened; {@link #take} comes next.
   *
   * @param closing an eventfd that nobody else uses
   * @param object what messages call it, once it is open
   * @param room for what is read at once, most of the time
   */
  public QueueFile(Kernel kernel, EventFd closing, Object object, MemorySegment room) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, object);
    this.closing = closing;
    this.life = new WokenFile(fd, closing);
    this.room = room;
    this.mostRoom = room.byteSize() << DOUBLINGS;
  }

  /** Takes over the open file, once. */
  public void take(int number) {
    fd.take(number);
  }

  /** Returns the file, to be watched by epoll. */
  public Fd fd() {
    return fd;
  }

  /** Returns whether closing has begun. */
  public boolean isClosed() {
    return life.isClosed();
  }

  /** Returns how many bytes fit at the most, after all growing. */
  public long mostRoom() {
    return mostRoom;
  }

  /**
   * Reads what is queued, and waits until there is something.
   *
   * @param nanos how long to wait, in nanoseconds; negative waits without end, zero only looks
   * @param parser is called once
   * @return what the parser made of it
   * @throws IllegalStateException if it is or gets closed
   */
  public <T, X extends Exception> T read(long nanos, Parser<T, X> parser) throws X {
    int file = fd.acquire();
    try {
      int wake = closing.fd().acquire();
      try {
        return read(file, wake, nanos, parser);
      } finally {
        closing.fd().release();
      }
    } finally {
      fd.release();
    }
  }

  private <T, X extends Exception> T read(int file, int wake, long nanos, Parser<T, X> parser)
      throws X {
    long deadline = System.nanoTime() + nanos;
    long left = nanos;
    while (true) {
      synchronized (reading) {
        life.requireOpen();
        long answer = readWhatFits(file);
        if (answer != 0) {
          return parser.parse(room, answer);
        }
      }
      if (nanos >= 0) {
        left = deadline - System.nanoTime();
        if (left <= 0) {
          return parser.parse(MemorySegment.NULL, 0);
        }
      }
      int ready = poll(file, wake, left);
      if (ready < 0) {
        return parser.parse(MemorySegment.NULL, ready);
      }
    }
  }

  /**
   * Reads without waiting, and makes room as long as something is there that does not fit.
   *
   * <p>Nothing to read looks the same to some kernels as too little room; poll tells them apart, if
   * it was asked before, and nobody else reads meanwhile.
   */
  private long readWhatFits(int file) {
    boolean readable = false;
    while (true) {
      long answer = kernel.read(file, room);
      if (answer == -EAGAIN || answer == -EINTR) {
        return 0;
      }
      if (answer == -EINVAL || (answer == 0 && readable)) {
        if (room.byteSize() >= mostRoom) {
          return answer == 0 ? TOO_LARGE : answer;
        }
        room = Arena.ofAuto().allocate(2 * room.byteSize(), Long.BYTES);
        readable = false;
      } else if (answer == 0) {
        int ready = poll(file);
        if (ready <= 0) {
          return ready;
        }
        readable = true;
      } else {
        return answer;
      }
    }
  }

  /** Returns whether something is there: above 0, 0, or a negated error number. */
  private int poll(int file) {
    Scratch scratch = SCRATCH.get();
    scratch.whole.set(JAVA_INT, 0, file);
    return poll(scratch, 1, 0);
  }

  /** Waits until something is there, or closing begins. */
  private int poll(int file, int wake, long nanos) {
    Scratch scratch = SCRATCH.get();
    scratch.whole.set(JAVA_INT, 0, file);
    scratch.whole.set(JAVA_INT, POLLFD, wake);
    return poll(scratch, 2, nanos);
  }

  private int poll(Scratch scratch, int count, long nanos) {
    MemorySegment timeout = MemorySegment.NULL;
    if (nanos >= 0) {
      timeout = scratch.timespec;
      timeout.set(JAVA_LONG, 0, nanos / NANOS_PER_SECOND);
      timeout.set(JAVA_LONG, Long.BYTES, nanos % NANOS_PER_SECOND);
    }
    int ready = kernel.poll(scratch.whole, count, timeout);
    return ready == -EINTR ? 0 : ready;
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

  /**
   * Wakes all readers, waits until they have left, and closes the file, once.
   *
   * @return 0, or the first negated error number
   */
  public int close() {
    return life.close();
  }
}
