package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The socket calls through the C library, as {@link LinuxKernel} makes the others. */
final class LinuxSocketCalls implements SocketCalls {
  static final LinuxSocketCalls INSTANCE = new LinuxSocketCalls();

  private static final int AF_UNIX = 1;
  private static final int SHUT_RDWR = 2;
  private static final int SOL_SOCKET = 1;

  private LinuxSocketCalls() {}

  @Override
  public int socket(int type) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) Socket.HANDLE.invokeExact(errno, AF_UNIX, type, 0), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int socketPair(int type, MemorySegment pair) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) SocketPair.HANDLE.invokeExact(errno, AF_UNIX, type, 0, pair), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int bind(int fd, MemorySegment address) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) Bind.HANDLE.invokeExact(errno, fd, address, (int) address.byteSize()), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int connect(int fd, MemorySegment address) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) Connect.HANDLE.invokeExact(errno, fd, address, (int) address.byteSize()), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int listen(int fd, int backlog) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) Listen.HANDLE.invokeExact(errno, fd, backlog), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int accept(int fd, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int)
              Accept4.HANDLE.invokeExact(errno, fd, MemorySegment.NULL, MemorySegment.NULL, flags),
          errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int shutdown(int fd) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) Shutdown.HANDLE.invokeExact(errno, fd, SHUT_RDWR), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public long sendMessage(int fd, MemorySegment header, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((long) SendMsg.HANDLE.invokeExact(errno, fd, header, flags), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public long receiveMessage(int fd, MemorySegment header, int flags) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((long) RecvMsg.HANDLE.invokeExact(errno, fd, header, flags), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int option(int fd, int option, MemorySegment value) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocateFrom(JAVA_INT, (int) value.byteSize());
      return LinuxKernel.answer(
          (int) GetSockOpt.HANDLE.invokeExact(errno, fd, SOL_SOCKET, option, value, size), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  private static final class Socket {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class SocketPair {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "socketpair", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
  }

  private static final class Bind {
    static final MethodHandle HANDLE =
        LinuxKernel.function("bind", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static final class Connect {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "connect", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static final class Listen {
    static final MethodHandle HANDLE =
        LinuxKernel.function("listen", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class Accept4 {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "accept4", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));
  }

  private static final class Shutdown {
    static final MethodHandle HANDLE =
        LinuxKernel.function("shutdown", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class SendMsg {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "sendmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static final class RecvMsg {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "recvmsg", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
  }

  private static final class GetSockOpt {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "getsockopt",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }
}
