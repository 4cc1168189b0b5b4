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
  private static final int THIS_PROCESS = 0;
  private static final int PR_CAP_AMBIENT = 47;
  private static final long PR_CAP_AMBIENT_CLEAR_ALL = 4;

  /** Where the second and the third of three numbers are. */
  private static final long EFFECTIVE = Integer.BYTES;

  private static final long SAVED = 2 * Integer.BYTES;
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
  public int setrlimit(int resource, MemorySegment limit, MemorySegment former) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) PrLimit.HANDLE.invokeExact(errno, THIS_PROCESS, resource, limit, former), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int getGroups(MemorySegment groups, int count) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer((int) GetGroups.HANDLE.invokeExact(errno, count, groups), errno);
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
  public int getGroup(MemorySegment ids) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int)
              GetResGid.HANDLE.invokeExact(errno, ids, ids.asSlice(EFFECTIVE), ids.asSlice(SAVED)),
          errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setGroup(int real, int effective, int saved) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) SetResGid.HANDLE.invokeExact(errno, real, effective, saved), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int getUser(MemorySegment ids) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int)
              GetResUid.HANDLE.invokeExact(errno, ids, ids.asSlice(EFFECTIVE), ids.asSlice(SAVED)),
          errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int setUser(int real, int effective, int saved) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int) SetResUid.HANDLE.invokeExact(errno, real, effective, saved), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public int clearAmbientCapabilities() {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return LinuxKernel.answer(
          (int)
              PrCtl.HANDLE.invokeExact(errno, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L),
          errno);
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

  private static final class PrLimit {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "prlimit", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS));
  }

  private static final class GetGroups {
    static final MethodHandle HANDLE =
        LinuxKernel.function("getgroups", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS));
  }

  private static final class SetGroups {
    static final MethodHandle HANDLE =
        LinuxKernel.function("setgroups", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
  }

  private static final class GetResGid {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "getresgid", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
  }

  private static final class SetResGid {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "setresgid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class GetResUid {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "getresuid", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, ADDRESS));
  }

  private static final class SetResUid {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "setresuid", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private static final class PrCtl {
    static final MethodHandle HANDLE =
        LinuxKernel.variadic(
            "prctl",
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            1);
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
