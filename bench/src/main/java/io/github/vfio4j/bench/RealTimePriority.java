package io.github.vfio4j.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Lets a thread run as soon as it can, so that the scheduler's choice is not part of a latency. */
final class RealTimePriority {
  private static final int THIS_THREAD = 0;
  private static final int SCHED_FIFO = 1;

  private RealTimePriority() {}

  @SuppressWarnings("restricted") // the descriptor is that of the C library
  static void takeForThisThread() {
    Linker linker = Linker.nativeLinker();
    MethodHandle function =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("sched_setscheduler"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment priority = arena.allocateFrom(JAVA_INT, 1);
      if ((int) function.invokeExact(THIS_THREAD, SCHED_FIFO, priority) != 0) {
        throw new IllegalStateException("The kernel gives no real-time priority to this process");
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
