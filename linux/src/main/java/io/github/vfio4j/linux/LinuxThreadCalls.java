package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The calls on threads through the C library, as {@link LinuxKernel} makes the others. */
final class LinuxThreadCalls implements ThreadCalls {
  static final LinuxThreadCalls INSTANCE = new LinuxThreadCalls();

  private static final int EBUSY = 16;

  /** Of {@code struct sigaction}, whose handler comes first and is null by default. */
  private static final long SIGACTION_SIZE = 152;

  /**
   * What handles the signal. A handler has to be machine code that may run at any moment, which
   * Java's is not; this function of the C library takes an int and touches nothing.
   */
  private static final String IDLE_HANDLER = "abs";

  private LinuxThreadCalls() {}

  @Override
  public int self() {
    MemorySegment errno = CapturedErrno.ofThisThread();
    try {
      return (int) GetTid.HANDLE.invokeExact(errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  @Override
  public synchronized int letInterrupt(int signal) {
    MemorySegment handler = Linker.nativeLinker().defaultLookup().findOrThrow(IDLE_HANDLER);
    ProcessCalls process = LinuxProcessCalls.INSTANCE;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment action = arena.allocate(SIGACTION_SIZE, Long.BYTES);
      int answer = process.setSignalAction(signal, MemorySegment.NULL, action);
      if (answer < 0) {
        return answer;
      }
      MemorySegment former = action.get(ADDRESS, 0);
      if (former.address() == handler.address()) {
        return 0;
      }
      if (former.address() != 0) {
        return -EBUSY;
      }
      action.fill((byte) 0);
      action.set(ADDRESS, 0, handler);
      return process.setSignalAction(signal, action, MemorySegment.NULL);
    }
  }

  @Override
  public int interrupt(int thread, int signal) {
    MemorySegment errno = CapturedErrno.ofThisThread();
    int process = (int) ProcessHandle.current().pid();
    try {
      return LinuxKernel.answer(
          (int) TgKill.HANDLE.invokeExact(errno, process, thread, signal), errno);
    } catch (Throwable e) {
      throw LinuxKernel.impossible(e);
    }
  }

  private static final class GetTid {
    static final MethodHandle HANDLE =
        LinuxKernel.function("gettid", FunctionDescriptor.of(JAVA_INT));
  }

  private static final class TgKill {
    static final MethodHandle HANDLE =
        LinuxKernel.function(
            "tgkill", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }
}
