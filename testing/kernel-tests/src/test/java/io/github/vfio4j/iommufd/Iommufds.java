package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.opening.Host;

/** Opens what belongs to iommufd on a kernel of a test's own. */
public final class Iommufds {
  private Iommufds() {}

  public static Iommufd ofFd(Host host, int fd) throws VfioException {
    return Iommufd.ofFd(host, fd);
  }

  public static MemoryFile memoryFile(Kernel kernel, long size) throws VfioException {
    return MemoryFile.create(kernel, "test", size);
  }
}
