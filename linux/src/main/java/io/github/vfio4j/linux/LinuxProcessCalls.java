package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The calls on this process through the C library, as {@link LinuxKernel} makes the others. */
final class LinuxProcessCalls implements ProcessCalls {
  static final LinuxProcessCalls INSTANCE = new LinuxProcessCalls();

  private static final int F_SETFD = 2;
  private static final int FD_CLOEXEC = 1;
  private static final int SIG_SETMASK = 2;
  private static final long SIGSET_SIZE = 128;

  private LinuxProcessCalls() {}

  @Override
  public int setCloseOnExec(int fd, boolean closed) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      int flags = closed ? FD_CLOEXEC : 0;
      return LinuxKernel.answer(
          (int) LinuxKernel.Fcntl.HANDLE.invokeExact(errno, fd, F_SETFD, flags), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setrlimit(int resource, MemorySegment limit) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) SetRlimit.HANDLE.invokeExact(errno, resource, limit), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setGroups(MemorySegment groups, int count) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) SetGroups.HANDLE.invokeExact(errno, (long) count, groups), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setGroup(int group) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) SetGid.HANDLE.invokeExact(errno, group), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setUser(int user) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) SetUid.HANDLE.invokeExact(errno, user), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int unblockSignals() {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment none = arena.allocate(SIGSET_SIZE, Long.BYTES);
      return LinuxKernel.answer(
          (int) SigProcMask.HANDLE.invokeExact(errno, SIG_SETMASK, none, MemorySegment.NULL),
          errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setSignalAction(int signal, MemorySegment action, MemorySegment former) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) SigAction.HANDLE.invokeExact(errno, signal, action, former), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int execute(MemorySegment file, MemorySegment arguments) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) ExecVp.HANDLE.invokeExact(errno, file, arguments), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  private static final class SetRlimit {
    static final MethodHandle HANDLE =
        LinuxKernel.function("setrlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  }

  private static final class SetGroups {
    static final MethodHandle HANDLE =
        LinuxKernel.function("setgroups", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
  }

  private static final class SetGid {
    static final MethodHandle HANDLE =
        LinuxKernel.function("setgid", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  }

  private static final class SetUid {
    static final MethodHandle HANDLE =
        LinuxKernel.function("setuid", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
  }

  private static final class SigProcMask {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "sigprocmask", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }

  private static final class SigAction {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "sigaction", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }

  private static final class ExecVp {
    static final MethodHandle HANDLE =
        LinuxKernel.function("execvp", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
  }
}
