package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.bindings.kvm_h;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/**
 * The system calls through the C library, with their error numbers captured on the way back.
 *
 * <p>The C library's {@code -1} and {@code errno} become the kernel's own negated number, so that
 * callers have one value to look at and no error number can be read late or from another thread.
 *
 * <p>Each call has a class of its own for its handle, so that it is linked when it is first used:
 * linking all of them takes half as long as starting the virtual machine.
 */
final class LinuxKernel implements Kernel {
  static final LinuxKernel INSTANCE = new LinuxKernel();

  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int STATX_BASIC_STATS = 0x7ff;
  private static final int F_DUPFD_CLOEXEC = 1030;
  private static final int F_ADD_SEALS = 1033;
  private static final int F_GET_SEALS = 1034;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final ValueLayout.OfLong SIZE = JAVA_LONG;

  private LinuxKernel() {}

  @SuppressWarnings("restricted") // the descriptors are those of the C library
  static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"));
  }

  @SuppressWarnings("restricted") // the descriptors are those of the C library
  static MethodHandle variadic(String name, FunctionDescriptor descriptor, int first) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(first));
  }

  /** Of memory as numbers, and without the error number: for calls that may be made twice. */
  @SuppressWarnings("restricted") // the descriptors are those of the C library
  private static MethodHandle uncaptured(
      String name, FunctionDescriptor descriptor, Linker.Option... options) {
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), descriptor, options);
  }

  static int answer(int result, MemorySegment errno) {
    return result >= 0 ? result : -errno.get(JAVA_INT, 0);
  }

  static long answer(long result, MemorySegment errno) {
    return result >= 0 ? result : -errno.get(JAVA_INT, 0);
  }

  /** The handles declare Throwable; a C function throws nothing. */
  static AssertionError impossible(Throwable thrown) {
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
      return (int) GetPageSize.HANDLE.invokeExact(errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int open(String path, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      return answer(
          (int) Open.HANDLE.invokeExact(errno, arena.allocateFrom(path), flags, 0), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int close(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Close.HANDLE.invokeExact(errno, fd), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int duplicate(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Fcntl.HANDLE.invokeExact(errno, fd, F_DUPFD_CLOEXEC, 0), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int ioctl(int fd, int request, MemorySegment argument) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      int result =
          (int)
              IoctlPointer.HANDLE.invokeExact(errno, fd, Integer.toUnsignedLong(request), argument);
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
          (int) IoctlValue.HANDLE.invokeExact(errno, fd, Integer.toUnsignedLong(request), argument);
      return answer(result, errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  /**
   * Capturing the error number nearly doubles what a downcall takes, so it is left out at first.
   * The argument goes as a number, since nothing can free it: that spares holding it.
   */
  @Override
  public int repeatableIoctl(int fd, int request, MemorySegment argument) {
    try {
      int result =
          (int)
              IoctlUncaptured.HANDLE.invokeExact(
                  fd, Integer.toUnsignedLong(request), argument.address());
      return result >= 0 ? result : ioctl(fd, request, argument);
    } catch (Throwable e) {
      throw impossible(e);
    } finally {
      Reference.reachabilityFence(argument);
    }
  }

  @Override
  public long read(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) Read.HANDLE.invokeExact(errno, fd, buffer, buffer.byteSize()), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long repeatableRead(int fd, MemorySegment buffer) {
    try {
      long result =
          (long) ReadUncaptured.HANDLE.invokeExact(fd, buffer.address(), buffer.byteSize());
      return result >= 0 ? result : read(fd, buffer);
    } catch (Throwable e) {
      throw impossible(e);
    } finally {
      Reference.reachabilityFence(buffer);
    }
  }

  @Override
  public long write(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((long) Write.HANDLE.invokeExact(errno, fd, buffer, buffer.byteSize()), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long pread(int fd, MemorySegment buffer, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (long) Pread.HANDLE.invokeExact(errno, fd, buffer, buffer.byteSize(), offset), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long pwrite(int fd, MemorySegment buffer, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (long) Pwrite.HANDLE.invokeExact(errno, fd, buffer, buffer.byteSize(), offset), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public long mmap(long address, long length, int protection, int flags, int fd, long offset) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      long result =
          (long) Mmap.HANDLE.invokeExact(errno, address, length, protection, flags, fd, offset);
      return answer(result, errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int munmap(long address, long length) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Munmap.HANDLE.invokeExact(errno, address, length), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int madvise(long address, long length, int advice) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Madvise.HANDLE.invokeExact(errno, address, length, advice), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int memfdCreate(String name, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      return answer(
          (int) MemfdCreate.HANDLE.invokeExact(errno, arena.allocateFrom(name), flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int ftruncate(int fd, long size) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Ftruncate.HANDLE.invokeExact(errno, fd, size), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int addSeals(int fd, int seals) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Fcntl.HANDLE.invokeExact(errno, fd, F_ADD_SEALS, seals), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int getSeals(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Fcntl.HANDLE.invokeExact(errno, fd, F_GET_SEALS, 0), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int eventfd(int initial, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) Eventfd.HANDLE.invokeExact(errno, initial, flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollCreate(int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) EpollCreate1.HANDLE.invokeExact(errno, flags), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollControl(int epoll, int operation, int fd, MemorySegment event) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) EpollCtl.HANDLE.invokeExact(errno, epoll, operation, fd, event), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int epollWait(int epoll, MemorySegment events, int capacity, int timeoutMillis) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (int) EpollWait.HANDLE.invokeExact(errno, epoll, events, capacity, timeoutMillis), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int poll(MemorySegment fds, int count, MemorySegment timeout) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer(
          (int) Ppoll.HANDLE.invokeExact(errno, fds, (long) count, timeout, MemorySegment.NULL),
          errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int repeatablePoll(MemorySegment fds, int count, MemorySegment timeout) {
    try {
      int result =
          (int)
              PpollUncaptured.HANDLE.invokeExact(
                  fds.address(), (long) count, timeout.address(), 0L);
      return result >= 0 ? result : poll(fds, count, timeout);
    } catch (Throwable e) {
      throw impossible(e);
    } finally {
      Reference.reachabilityFence(fds);
      Reference.reachabilityFence(timeout);
    }
  }

  @Override
  public int statx(int fd, MemorySegment buffer) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment emptyPath = arena.allocate(1);
      return answer(
          (int)
              Statx.HANDLE.invokeExact(
                  errno, fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC_STATS, buffer),
          errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public int getrlimit(int resource, MemorySegment limit) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return answer((int) GetRlimit.HANDLE.invokeExact(errno, resource, limit), errno);
    } catch (Throwable e) {
      throw impossible(e);
    }
  }

  @Override
  public SocketCalls sockets() {
    return LinuxSocketCalls.INSTANCE;
  }

  @Override
  public ProcessCalls process() {
    return LinuxProcessCalls.INSTANCE;
  }

  @Override
  public ThreadCalls threads() {
    return LinuxThreadCalls.INSTANCE;
  }

  @Override
  public int enter(int processor) {
    return ioctl(processor, kvm_h.KVM_RUN, 0L);
  }

  private static final class Open {
    static final MethodHandle HANDLE =
        variadic("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT), 2);
  }

  private static final class Close {
    static final MethodHandle HANDLE = function("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  }

  static final class Fcntl {
    static final MethodHandle HANDLE =
        variadic("fcntl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT), 2);
  }

  private static final class IoctlPointer {
    static final MethodHandle HANDLE =
        variadic("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), 2);
  }

  private static final class IoctlValue {
    static final MethodHandle HANDLE =
        variadic("ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG), 2);
  }

  private static final class IoctlUncaptured {
    static final MethodHandle HANDLE =
        uncaptured(
            "ioctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(2));
  }

  private static final class ReadUncaptured {
    static final MethodHandle HANDLE =
        uncaptured("read", FunctionDescriptor.of(SIZE, JAVA_INT, JAVA_LONG, SIZE));
  }

  private static final class PpollUncaptured {
    static final MethodHandle HANDLE =
        uncaptured(
            "ppoll", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
  }

  private static final class Read {
    static final MethodHandle HANDLE =
        function("read", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE));
  }

  private static final class Write {
    static final MethodHandle HANDLE =
        function("write", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE));
  }

  private static final class Pread {
    static final MethodHandle HANDLE =
        function("pread", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE, JAVA_LONG));
  }

  private static final class Pwrite {
    static final MethodHandle HANDLE =
        function("pwrite", FunctionDescriptor.of(SIZE, JAVA_INT, ADDRESS, SIZE, JAVA_LONG));
  }

  private static final class Mmap {
    static final MethodHandle HANDLE =
        function(
            "mmap",
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, SIZE, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  }

  private static final class Munmap {
    static final MethodHandle HANDLE =
        function("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, SIZE));
  }

  private static final class Madvise {
    static final MethodHandle HANDLE =
        function("madvise", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, SIZE, JAVA_INT));
  }

  private static final class MemfdCreate {
    static final MethodHandle HANDLE =
        function("memfd_create", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static final class Ftruncate {
    static final MethodHandle HANDLE =
        function("ftruncate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG));
  }

  private static final class Eventfd {
    static final MethodHandle HANDLE =
        function("eventfd", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class EpollCreate1 {
    static final MethodHandle HANDLE =
        function("epoll_create1", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  }

  private static final class EpollCtl {
    static final MethodHandle HANDLE =
        function(
            "epoll_ctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  }

  private static final class EpollWait {
    static final MethodHandle HANDLE =
        function(
            "epoll_wait", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
  }

  private static final class Ppoll {
    static final MethodHandle HANDLE =
        function("ppoll", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));
  }

  private static final class Statx {
    static final MethodHandle HANDLE =
        function(
            "statx",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS));
  }

  private static final class GetPageSize {
    static final MethodHandle HANDLE = function("getpagesize", FunctionDescriptor.of(JAVA_INT));
  }

  private static final class GetRlimit {
    static final MethodHandle HANDLE =
        function("getrlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  }
}
