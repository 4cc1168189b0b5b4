package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A UNIX socket that keeps messages apart ({@code SOCK_SEQPACKET}) and passes open files along with
 * them.
 *
 * <p>It never blocks but in {@code ppoll}, with a time; closing wakes whoever waits there. All
 * answers are the kernel's: time that runs out is {@code EAGAIN}, as a call that does not wait
 * would have it.
 */
public final class UnixSocket {
  /** As many files as the kernel passes with one message ({@code SCM_MAX_FD}). */
  public static final int MOST_FILES = 253;

  /** As many bytes as the path of a socket may have. */
  public static final int MOST_PATH = 107;

  private static final int AF_UNIX = 1;
  private static final int SOCK_SEQPACKET = 5;
  private static final int SOCK_NONBLOCK = 0x800;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int TYPE = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;
  private static final int SO_TYPE = 3;
  private static final int SO_PEERCRED = 17;
  private static final int SO_DOMAIN = 39;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MSG_CTRUNC = 0x8;
  private static final int MSG_TRUNC = 0x20;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_NOSIGNAL = 0x4000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;

  private static final short POLLIN = 1;
  private static final short POLLOUT = 4;
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;
  private static final long NANOS_PER_SECOND = 1_000_000_000;
  private static final long CONNECT_AGAIN_NANOS = 1_000_000;
  private static final int BACKLOG = 16;

  /** A {@code struct msghdr} with its one {@code struct iovec} behind it. */
  private static final long IOVEC_ADDRESS = 16;

  private static final long IOVEC_COUNT = 24;
  private static final long CONTROL = 32;
  private static final long CONTROL_SIZE = 40;
  private static final long FLAGS = 48;
  private static final long IOVEC = 56;
  private static final long HEADER_SIZE = 72;

  /** A {@code struct cmsghdr}, with what it is of behind it. */
  private static final long CMSG_LEVEL = 8;

  private static final long CMSG_TYPE = 12;
  private static final long CMSG_DATA = 16;

  private final Kernel kernel;
  private final Fd fd;
  private volatile boolean closed;

  /**
   * Makes room for a socket; {@link #open} or {@link #take} comes next.
   *
   * @param object what messages call it
   */
  public UnixSocket(Kernel kernel, Object object) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, object);
  }

  /** Asks for an unconnected socket, once. */
  public int open() {
    return fd.take(kernel.sockets().socket(TYPE));
  }

  /** Takes over an open file that is such a socket, as {@link #isSuch} tells. */
  public int take(int answer) {
    return fd.take(answer);
  }

  /** Asks for two that are connected to each other, once. */
  public static int openPair(Kernel kernel, UnixSocket one, UnixSocket other) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pair = arena.allocate(2L * Integer.BYTES, Integer.BYTES);
      int answer = kernel.sockets().socketPair(TYPE, pair);
      if (answer >= 0) {
        one.take(pair.get(JAVA_INT, 0));
        other.take(pair.get(JAVA_INT, Integer.BYTES));
      }
      return answer;
    }
  }

  /** Returns the file. */
  public Fd fd() {
    return fd;
  }

  /** Returns whether it is a UNIX socket of messages: 1, 0, or a negated error number. */
  public int isSuch() {
    int domain = option(SO_DOMAIN);
    if (domain < 0) {
      return domain;
    }
    int type = option(SO_TYPE);
    return type < 0 ? type : domain == AF_UNIX && type == SOCK_SEQPACKET ? 1 : 0;
  }

  private int option(int option) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_INT);
      int answer = fd.call(number -> kernel.sockets().option(number, option, value));
      return answer < 0 ? answer : value.get(JAVA_INT, 0);
    }
  }

  /** Who made the other end, as the kernel knows it; the answer is below 0 where it does not. */
  public record Peer(int answer, int pid, int user, int group) {}

  public Peer peer() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(3L * Integer.BYTES, Integer.BYTES);
      int answer = fd.call(number -> kernel.sockets().option(number, SO_PEERCRED, value));
      return new Peer(
          answer, value.get(JAVA_INT, 0), value.get(JAVA_INT, 4), value.get(JAVA_INT, 8));
    }
  }

  private static MemorySegment address(Arena arena, byte... path) {
    MemorySegment address = arena.allocate(2L + path.length + 1, 2);
    address.set(JAVA_SHORT, 0, (short) AF_UNIX);
    MemorySegment.copy(path, 0, address, JAVA_BYTE, 2, path.length);
    return address;
  }

  /**
   * Gives the socket a path, which is made.
   *
   * @param path at most {@link #MOST_PATH} bytes, none of them 0
   */
  public int bind(byte... path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = address(arena, path);
      return fd.call(number -> kernel.sockets().bind(number, address));
    }
  }

  /** Has it listen at its path. */
  public int listen() {
    return fd.call(number -> kernel.sockets().listen(number, BACKLOG));
  }

  /** Connects it to who listens at a path, and waits for room in that one's queue. */
  public int connect(long nanos, byte... path) {
    long deadline = System.nanoTime() + nanos;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = address(arena, path);
      while (true) {
        int answer = fd.call(number -> kernel.sockets().connect(number, address));
        if (answer != -EAGAIN && answer != -EINTR) {
          return answer;
        }
        if (deadline - System.nanoTime() <= 0) {
          return -EAGAIN;
        }
        LockSupport.parkNanos(CONNECT_AGAIN_NANOS);
      }
    }
  }

  /** Waits for somebody who connects, and returns the number of the socket to them. */
  public int accept(long nanos) {
    long answer =
        whenReady(
            POLLIN, nanos, number -> kernel.sockets().accept(number, SOCK_NONBLOCK | SOCK_CLOEXEC));
    return (int) answer;
  }

  /** A call on the number of the open file. */
  @FunctionalInterface
  private interface Attempt {
    long with(int number);
  }

  /** Returns whether closing has begun. */
  public boolean isClosed() {
    return closed;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException(fd + " is closed");
    }
  }

  /** Attempts a call that does not wait until it is carried out, or the time is up. */
  private long whenReady(short events, long nanos, Attempt attempt) {
    long deadline = System.nanoTime() + nanos;
    int number = fd.acquire();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment poll = arena.allocate(24, Long.BYTES);
      MemorySegment timeout = poll.asSlice(8);
      while (true) {
        requireOpen();
        long answer = attempt.with(number);
        if (answer != -EAGAIN && answer != -EINTR) {
          return answer;
        }
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return -EAGAIN;
        }
        poll.set(JAVA_INT, 0, number);
        poll.set(JAVA_SHORT, 4, events);
        timeout.set(JAVA_LONG, 0, left / NANOS_PER_SECOND);
        timeout.set(JAVA_LONG, 8, left % NANOS_PER_SECOND);
        int ready = kernel.poll(poll, 1, timeout);
        if (ready < 0 && ready != -EINTR) {
          return ready;
        }
      }
    } finally {
      fd.release();
    }
  }

  /**
   * Sends one message, whole or not at all.
   *
   * @param files at most {@link #MOST_FILES}; whoever calls holds them open
   * @return how many bytes were sent, which is all, or a negated error number
   */
  public long send(MemorySegment bytes, List<Integer> files, long nanos) {
    try (Arena arena = Arena.ofConfined()) {
      long controlSize = controlSize(files.size());
      MemorySegment control = arena.allocate(Math.max(controlSize, 1), Long.BYTES);
      if (!files.isEmpty()) {
        control.set(JAVA_LONG, 0, controlSize);
        control.set(JAVA_INT, CMSG_LEVEL, SOL_SOCKET);
        control.set(JAVA_INT, CMSG_TYPE, SCM_RIGHTS);
        for (int i = 0; i < files.size(); i++) {
          control.set(JAVA_INT, CMSG_DATA + (long) i * Integer.BYTES, files.get(i));
        }
      }
      MemorySegment header = header(arena, bytes, control, controlSize);
      return whenReady(
          POLLOUT,
          nanos,
          number -> kernel.sockets().sendMessage(number, header, MSG_NOSIGNAL | MSG_DONTWAIT));
    }
  }

  private static long controlSize(int files) {
    return files == 0 ? 0 : CMSG_DATA + (long) files * Integer.BYTES;
  }

  private static MemorySegment header(
      Arena arena, MemorySegment bytes, MemorySegment control, long controlSize) {
    MemorySegment header = arena.allocate(HEADER_SIZE, Long.BYTES);
    header.set(JAVA_LONG, IOVEC_ADDRESS, header.address() + IOVEC);
    header.set(JAVA_LONG, IOVEC_COUNT, 1);
    header.set(JAVA_LONG, IOVEC, bytes.address());
    header.set(JAVA_LONG, IOVEC + Long.BYTES, bytes.byteSize());
    header.set(JAVA_LONG, CONTROL, controlSize == 0 ? 0 : control.address());
    header.set(JAVA_LONG, CONTROL_SIZE, controlSize);
    return header;
  }

  /**
   * What has arrived.
   *
   * @param answer how many bytes; 0 where the other side has ended, or a negated error number
   * @param files how many files were taken over, whatever else is wrong
   * @param cut whether bytes or files did not fit, and are lost
   */
  public record Arrival(long answer, int files, boolean cut) {}

  /**
   * Receives one message and takes over the files that came along, which are closed on exec.
   *
   * @param bytes where its bytes go
   * @param files where its files go: as many as it may have, none of which has a file yet. They are
   *     there before anything arrives, so that no file can get lost
   */
  public Arrival receive(MemorySegment bytes, List<Fd> files, long nanos) {
    try (Arena arena = Arena.ofConfined()) {
      long controlSize = controlSize(files.size());
      MemorySegment control = arena.allocate(Math.max(controlSize, 1), Long.BYTES);
      MemorySegment header = header(arena, bytes, control, controlSize);
      int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
      long answer =
          whenReady(
              POLLIN, nanos, number -> kernel.sockets().receiveMessage(number, header, flags));
      if (answer <= 0) {
        requireOpen(); // closing looks like the end of the other side
      }
      if (answer < 0) {
        return new Arrival(answer, 0, false);
      }
      int taken =
          takeOver(control, Math.min(header.get(JAVA_LONG, CONTROL_SIZE), controlSize), files);
      int told = header.get(JAVA_INT, FLAGS);
      return new Arrival(answer, taken, (told & (MSG_TRUNC | MSG_CTRUNC)) != 0);
    }
  }

  /** Takes over every file that the kernel has opened here, and closes those too many. */
  private int takeOver(MemorySegment control, long size, List<Fd> files) {
    int taken = 0;
    long at = 0;
    while (at + CMSG_DATA <= size) {
      long length = control.get(JAVA_LONG, at);
      if (length < CMSG_DATA || length > size - at) {
        break;
      }
      boolean ours =
          control.get(JAVA_INT, at + CMSG_LEVEL) == SOL_SOCKET
              && control.get(JAVA_INT, at + CMSG_TYPE) == SCM_RIGHTS;
      for (long file = at + CMSG_DATA;
          ours && file + Integer.BYTES <= at + length;
          file += Integer.BYTES) {
        int number = control.get(JAVA_INT, file);
        if (taken < files.size()) {
          files.get(taken).take(number);
          taken++;
        } else {
          kernel.close(number);
        }
      }
      at += Alignment.up(length, Long.BYTES);
    }
    return taken;
  }

  /** Wakes all who wait, and closes it, once; later calls do nothing. */
  public int close() {
    closed = true;
    if (!fd.isClosed()) {
      try {
        fd.call(number -> kernel.sockets().shutdown(number)); // of one not connected it is refused
      } catch (IllegalStateException closedMeanwhile) {
        return 0;
      }
    }
    return fd.close();
  }
}
