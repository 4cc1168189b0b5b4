package io.github.vfio4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How many mappings a container may have; 65,535 unless a system says otherwise. */
final class EntryLimit {
  private static final Path FILE =
      Path.of("/sys/module/vfio_iommu_type1/parameters/dma_entry_limit");

  private EntryLimit() {}

  /** Has containers that are opened from now on have as many as there are benchmarks for. */
  static void raise() throws IOException {
    Files.writeString(FILE, "1000000");
  }
}
