package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;

/** Makes memory files on a kernel of a test's own. */
public final class MemoryFiles {
  private MemoryFiles() {}

  public static MemoryFile create(Kernel kernel, String name, long size) throws VfioException {
    return MemoryFile.create(kernel, name, size);
  }
}
