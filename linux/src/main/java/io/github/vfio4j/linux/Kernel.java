package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;

/**
 * Every system call that the library makes goes through here, and only here.
 *
 * <p>All methods answer as the kernel does: zero or a positive result, or the negated error number.
 * None throws, none allocates, and all may be called from any thread.
 */
public interface Kernel {
  /**
   * Returns the running Linux; each system call is linked when it is first used. Where the system
   * property {@code io.github.vfio4j.trace} names a file, its ioctls are written down there for
   * programs; {@code io.github.vfio4j.calls} is the same for people, with {@code stderr} as one.
   *
   * @throws IllegalCallerException if this virtual machine denies native access
   */
  static Kernel running() {
    NativeAccess.require();
    return KernelChoice.INSTANCE;
  }

  /** Returns the bytes of one page of memory. */
  int pageSize();

  int open(String path, int flags);

  int close(int fd);

  int duplicate(int fd);

  int ioctl(int fd, int request, MemorySegment argument);

  int ioctl(int fd, int request, long argument);

  /**
   * Issues an ioctl that changes nothing where it fails, so that asking twice is as good as asking
   * once: the error number may come from a second call, and so may success.
   *
   * @param argument memory that lasts as long as it is reachable
   */
  default int repeatableIoctl(int fd, int request, MemorySegment argument) {
    return ioctl(fd, request, argument);
  }

  /**
   * Runs a virtual processor of KVM until it stops, as {@code KVM_RUN}; no trace is told.
   *
   * @param processor its open file
   */
  int enter(int processor);

  long read(int fd, MemorySegment buffer);

  /**
   * Reads a file that does not block, and from which nothing is taken where reading fails: it may
   * be asked twice, as {@link #repeatableIoctl}.
   *
   * @param buffer memory that lasts as long as it is reachable
   */
  default long repeatableRead(int fd, MemorySegment buffer) {
    return read(fd, buffer);
  }

  long write(int fd, MemorySegment buffer);

  long pread(int fd, MemorySegment buffer, long offset);

  long pwrite(int fd, MemorySegment buffer, long offset);

  /** Maps {@code length} bytes and returns their address, which is never negative on success. */
  long mmap(long address, long length, int protection, int flags, int fd, long offset);

  int munmap(long address, long length);

  /**
   * Tells the kernel what will be done with pages, or has it do something with them.
   *
   * @param advice its number, as in {@link MemoryAdvice}
   */
  int madvise(long address, long length, int advice);

  int memfdCreate(String name, int flags);

  int ftruncate(int fd, long size);

  int addSeals(int fd, int seals);

  int getSeals(int fd);

  int eventfd(int initial, int flags);

  int epollCreate(int flags);

  int epollControl(int epoll, int operation, int fd, MemorySegment event);

  int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis);

  int poll(MemorySegment fds, int count, MemorySegment timeout);

  /**
   * Polls, and may ask twice, too: where a signal ends the wait, it waits for as long once more.
   *
   * @param fds memory that lasts as long as it is reachable
   * @param timeout such memory, too
   */
  default int repeatablePoll(MemorySegment fds, int count, MemorySegment timeout) {
    return poll(fds, count, timeout);
  }

  /** Fills {@code buffer} (a {@code struct statx}) for an open file. */
  int statx(int fd, MemorySegment buffer);

  int getrlimit(int resource, MemorySegment limit);

  /** Returns the calls on sockets. */
  SocketCalls sockets();

  /** Returns the calls that change this process itself. */
  ProcessCalls process();

  /** Returns the calls that concern single threads of this process. */
  ThreadCalls threads();
}
