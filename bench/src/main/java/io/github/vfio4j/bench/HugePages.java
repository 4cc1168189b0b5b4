package io.github.vfio4j.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Memory that is on pages of 2 MiB in every run; one of them is physically contiguous. */
final class HugePages {
  static final long SIZE = 2 << 20;

  private static final Path FILE = Path.of("/dev/hugepages/java");
  private static final Path SET_APART = Path.of("/proc/sys/vm/nr_hugepages");

  /** What the machine has when it comes up, for all else. */
  private static final int OTHERS = 64;

  private HugePages() {}

  /**
   * Maps memory that has been written to. So many pages are set apart from now on, which the C
   * program takes after this memory is gone.
   *
   * @param bytes of whole huge pages
   */
  static MemorySegment map(Arena arena, long bytes) throws IOException {
    Files.writeString(SET_APART, Long.toString(bytes / SIZE + OTHERS));
    try (FileChannel file =
        FileChannel.open(
            FILE, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Files.delete(FILE); // so that the pages are free when the memory is unmapped
      return file.map(MapMode.READ_WRITE, 0, bytes, arena).fill((byte) 1);
    }
  }
}
