package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;

/** What root is told of where memory is. */
final class PhysicalMemory {
  private static final long PRESENT = 1L << 63;
  private static final long FRAME = (1L << 55) - 1;

  private PhysicalMemory() {}

  /** Where a touched page is; nothing moves it in a guest that has memory to spare. */
  static long address(MemorySegment page) throws IOException {
    try (var pagemap = new RandomAccessFile("/proc/self/pagemap", "r")) {
      pagemap.seek(page.address() / PAGE * Long.BYTES);
      long entry = Long.reverseBytes(pagemap.readLong());
      assertThat(entry & PRESENT).isNotZero();
      return (entry & FRAME) * PAGE;
    }
  }
}
