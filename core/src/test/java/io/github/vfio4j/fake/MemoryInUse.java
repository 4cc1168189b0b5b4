package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** Memory that another thread is using, in the middle of a system call. */
public final class MemoryInUse {
  /** So many bytes that a pipe takes the first part only, and keeps who writes them. */
  public static final long SIZE = 1 << 20;

  private static final int O_RDWR = 2;
  private static final Kernel KERNEL = Kernel.running();

  private MemoryInUse() {}

  /** What a test does meanwhile. */
  public interface Body {
    void run() throws Exception;
  }

  /** Does something while a thread writes the memory, of {@link #SIZE}, into a pipe. */
  public static void during(Path directory, MemorySegment memory, Body body) throws Exception {
    Path fifo = directory.resolve("fifo");
    new ProcessBuilder("mkfifo", fifo.toString()).inheritIO().start().waitFor();
    int pipe = KERNEL.open(fifo.toString(), O_RDWR);
    Thread writer = Thread.ofPlatform().start(() -> KERNEL.write(pipe, memory));
    read(pipe, 1); // from now on it is in its call
    try {
      body.run();
    } finally {
      read(pipe, SIZE - 1);
      writer.join();
      KERNEL.close(pipe);
    }
  }

  private static void read(int pipe, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(bytes);
      for (long left = bytes; left > 0; ) {
        left -= KERNEL.read(pipe, buffer.asSlice(0, left));
      }
    }
  }
}
