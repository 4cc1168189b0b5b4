package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** An epoll instance whose files are known by numbers of the caller's. One thread waits. */
public final class Epoll {
  private static final int EPOLL_CLOEXEC = 0x80000;
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_DEL = 2;
  private static final int EPOLLIN = 1;
  private static final int CAPACITY = 64;

  /** On x86-64 alone, {@code struct epoll_event} is packed. */
  private static final boolean PACKED = System.getProperty("os.arch", "").equals("amd64");

  private static final int TOKEN = PACKED ? 4 : 8;
  private static final int SIZE = PACKED ? 12 : 16;

  private final Kernel kernel;
  private final Fd fd;
  private final MemorySegment events = Arena.ofAuto().allocate((long) CAPACITY * SIZE, Long.BYTES);

  /** Makes room for an instance; {@link #open} comes next. */
  public Epoll(Kernel kernel) {
    this.kernel = kernel;
    this.fd = new Fd(kernel, "epoll");
  }

  /** Asks for the instance, once, and answers as the kernel does. */
  public int open() {
    return fd.take(kernel.epollCreate(EPOLL_CLOEXEC));
  }

  /** Watches a file for input, level-triggered, and answers as the kernel does. */
  public int add(Fd watched, int token) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(SIZE, Long.BYTES);
      event.set(JAVA_INT, 0, EPOLLIN);
      event.set(JAVA_INT_UNALIGNED, TOKEN, token);
      return control(EPOLL_CTL_ADD, watched, event);
    }
  }

  /** Stops watching a file and answers as the kernel does. */
  public int remove(Fd watched) {
    return control(EPOLL_CTL_DEL, watched, MemorySegment.NULL);
  }

  private int control(int operation, Fd watched, MemorySegment event) {
    return watched.call(
        file -> fd.call(epoll -> kernel.epollControl(epoll, operation, file, event)));
  }

  /** Waits without end and answers how many files are ready, or a negated error number. */
  public int await() {
    return fd.call(epoll -> kernel.epollWait(epoll, events, CAPACITY, -1));
  }

  /** Returns the token of a ready file, after {@link #await}. */
  public int token(int ready) {
    return events.get(JAVA_INT_UNALIGNED, (long) ready * SIZE + TOKEN);
  }

  /** Closes the instance and answers as the kernel does. */
  public int close() {
    return fd.close();
  }
}
