package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The system calls through the C library, each with its error number captured on the way back.
 *
 * <p>The C library's {@code -1} and {@code errno} become the kernel's own negated number, so that
 * callers have one value to look at and no error number can be read late or from another thread.
 */
final class LinuxKernel implements Kernel {
  static final LinuxKernel INSTANCE = new LinuxKernel();

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int F_ADD_SEALS = 1033;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final ValueLayout.OfLong SIZE = JAVA_LONG;

  private static final MethodHandle OPEN =
      variadic("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), 2);
  private static final MethodHandle CLOSE =
      function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle FCNTL =
      variadic("fcntl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT), 2);
  private static final MethodHandle IOCTL_POINTER =
      variadic("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), 2);
  private static final MethodHandle IOCTL_VALUE =
      variadic("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG), 2);
  private static final MethodHandle READ =
      function("read", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE));
  private static final MethodHandle WRITE =
      function("write", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE));
  private static final MethodHandle PREAD =
      function("pread", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE, JAVA_LONG));
  private static final MethodHandle PWRITE =
      function("pwrite", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE, JAVA_LONG));
  private static final MethodHandle MMAP =
      function(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, JAVA_LONG, SIZE, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle MUNMAP =
      function("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, SIZE));
  private static final MethodHandle MEMFD_CREATE =
      function("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  private static final MethodHandle FTRUNCATE =
      function("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  private static final MethodHandle EVENTFD =
      function("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  private static final MethodHandle EPOLL_CREATE1 =
      function("epoll_create1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  private static final MethodHandle EPOLL_CTL =
      function("epoll_ctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle EPOLL_WAIT =
      function(
          "epoll_wait", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  private static final MethodHandle PPOLL =
      function("ppoll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
  private static final MethodHandle STATX =
      function(
          "statx", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
  private static final MethodHandle GETPAGESIZE =
      function("getpagesize", FunctionDescriptor.of(JAVA_INT));
  private static final MethodHandle GETRLIMIT =
      function("getrlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));

  private LinuxKernel() {}

  @SuppressWarnings("restricted") // the descriptors are those of the C library
  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"));
  }

  @SuppressWarnings("restricted") // the descriptors are those of the C library
  private static MethodHandle variadic(String name, FunctionDescriptor descriptor, int first) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(first));
  }

  private static int answer(int result, MemorySegment errno) {
    return result >= 0 ? result : -errno.get(JAVA_INT, 0);
  }

  private static long answer(long result, MemorySegment errno) {
    return result >= 0 ? result : -errno.get(JAVA_INT, 0);
  }

  /** The handles declare Throwable; a C function throws nothing. */
  private static AssertionError impossible(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    return new AssertionError(thrown);
  }

  @Override
  public int pageSize() {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return (int) GETPAGESIZE.invokeExact(errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int open(String path, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      return answer((int) OPEN.invokeExact(errno, arena.allocateFrom(path), flags, 0), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int close(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) CLOSE.invokeExact(errno, fd), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int duplicate(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) FCNTL.invokeExact(errno, fd, F_DUPFD_CLOEXEC, 0), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int ioctl(int fd, int request, MemorySegment argument) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      int result =
          (int) IOCTL_POINTER.invokeExact(errno, fd, Integer.toUnsignedLong(request), argument);
      return answer(result, errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int ioctl(int fd, int request, long argument) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      int result =
          (int) IOCTL_VALUE.invokeExact(errno, fd, Integer.toUnsignedLong(request), argument);
      return answer(result, errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long read(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) READ.invokeExact(errno, fd, buffer, buffer.byteSize()), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) WRITE.invokeExact(errno, fd, buffer, buffer.byteSize()), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long pread(int fd, MemorySegment buffer, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) PREAD.invokeExact(errno, fd, buffer, buffer.byteSize(), offset), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long pwrite(int fd, MemorySegment buffer, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) PWRITE.invokeExact(errno, fd, buffer, buffer.byteSize(), offset), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long mmap(long address, long length, int protection, int flags, int fd, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      long result = (long) MMAP.invokeExact(errno, address, length, protection, flags, fd, offset);
      return answer(result, errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int munmap(long address, long length) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) MUNMAP.invokeExact(errno, address, length), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int memfdCreate(String name, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      return answer((int) MEMFD_CREATE.invokeExact(errno, arena.allocateFrom(name), flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int ftruncate(int fd, long size) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) FTRUNCATE.invokeExact(errno, fd, size), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int addSeals(int fd, int seals) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) FCNTL.invokeExact(errno, fd, F_ADD_SEALS, seals), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) EVENTFD.invokeExact(errno, initial, flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollCreate(int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) EPOLL_CREATE1.invokeExact(errno, flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) EPOLL_CTL.invokeExact(errno, epoll, operation, fd, event), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (int) EPOLL_WAIT.invokeExact(errno, epoll, events, capacity, timeoutMillis), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int poll(MemorySegment fds, int count, MemorySegment timeout) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (int) PPOLL.invokeExact(errno, fds, (long) count, timeout, MemorySegment.NULL), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int statx(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment emptyPath = arena.allocate(1);
      return answer(
          (int) STATX.invokeExact(errno, fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC_STATS, buffer),
          errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) GETRLIMIT.invokeExact(errno, resource, limit), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }
}
