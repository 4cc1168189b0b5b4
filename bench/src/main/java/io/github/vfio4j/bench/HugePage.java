package io.github.vfio4j.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Memory that is physically contiguous in every run. */
final class HugePage {
  static final long SIZE = 2 << 20;

  private static final Path FILE = Path.of("/dev/hugepages/java");

  private HugePage() {}

  static MemorySegment map(Arena arena) throws IOException {
    try (FileChannel file =
        FileChannel.open(
            FILE, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return file.map(MapMode.READ_WRITE, 0, SIZE, arena).fill((byte) 1);
    }
  }
}
