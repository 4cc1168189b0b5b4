package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Iommufd;

/** An address space without devices, with the file that it belongs to. */
record OpenSpace(IoAddressSpace space, FileOf file) implements AutoCloseable {
  /** What must be closed in the end. */
  @FunctionalInterface
  interface FileOf {
    void close() throws VfioException;
  }

  static OpenSpace on(Backend backend) throws VfioException {
    return switch (backend) {
      case CONTAINER -> {
        Container container = Container.open();
        yield new OpenSpace(container, container::close);
      }
      case MODEL -> throw new IllegalArgumentException("not in the kernel");
      case IOMMUFD -> {
        Iommufd iommufd = Iommufd.open();
        yield new OpenSpace(iommufd.allocateIoas(), iommufd::close);
      }
    };
  }

  @Override
  public void close() throws VfioException {
    file.close();
  }
}
