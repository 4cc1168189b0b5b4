package io.github.vfio4j.mock;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Takes an open file from another process: what sending it over a socket does, which Java cannot.
 */
public final class ForeignFile {
  private static final long PIDFD_OPEN = 434;
  private static final long PIDFD_GETFD = 438;

  private ForeignFile() {}

  /**
   * Duplicates a descriptor of another process into this one.
   *
   * @param process the number of the other process
   * @param descriptor its descriptor
   * @return the descriptor in this process; the caller closes it
   * @throws IOException if the kernel refuses
   */
  public static int take(long process, int descriptor) throws IOException {
    int handle = call(PIDFD_OPEN, process, 0, 0);
    try {
      return call(PIDFD_GETFD, handle, descriptor, 0);
    } finally {
      Kernel.running().close(handle);
    }
  }

  @SuppressWarnings("restricted") // the descriptor is that of the C library
  private static int call(long number, long first, long second, long third) throws IOException {
    Linker linker = Linker.nativeLinker();
    MemorySegment address = linker.defaultLookup().findOrThrow("syscall");
    MethodHandle call =
        linker.downcallHandle(
            address,
            FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
            Linker.Option.firstVariadicArg(1));
    long answer;
    try {
      answer = (long) call.invokeExact(number, first, second, third);
    } catch (Throwable e) {
      throw new IOException(e);
    }
    if (answer < 0) {
      throw new IOException("system call " + number + " is refused");
    }
    return (int) answer;
  }
}
