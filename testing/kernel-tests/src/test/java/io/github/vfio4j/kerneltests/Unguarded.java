package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;

/** Opens devices that no IOMMU guards on one interface, and has memory of which it knows where. */
final class Unguarded implements AutoCloseable {
  private static final int HUGE = 2 << 20;

  private final Backend backend;
  private final Iommufd iommufd = Iommufd.open();
  private final Ioas ioas = iommufd.allocateIoas();
  private final Container container = Container.open(Container.Type.NOIOMMU);

  Unguarded(Backend backend) throws VfioException {
    this.backend = backend;
  }

  /** Opens one device on one interface, says so, and has it until the end of its input. */
  public static void main(String[] arguments) throws IOException {
    try (Unguarded unguarded = new Unguarded(Backend.valueOf(arguments[0]));
        VfioDevice _ = unguarded.open(PciAddress.of(arguments[1]))) {
      System.out.println("it is open");
      System.in.read();
    }
  }

  VfioDevice open(PciAddress address) throws VfioException {
    if (backend == Backend.CONTAINER) {
      return container.openDevice(Sysfs.host().device(address));
    }
    CdevDevice device = iommufd.bindWithoutIommu(Sysfs.host().device(address));
    device.attach(ioas);
    return device;
  }

  /** Has a huge page, whose pages lie one after the other. */
  DmaBuffer allocate() throws VfioException {
    DmaBuffer memory = ioas.allocateHuge(HUGE, HUGE);
    memory.segment().fill((byte) 0);
    return memory;
  }

  /** Asks for it as this interface's programs do. */
  long physicalAddress(DmaBuffer memory) throws IOException {
    return backend == Backend.CONTAINER
        ? PhysicalMemory.address(memory.segment())
        : ioas.physicalAddress(memory.iova(), HUGE).address();
  }

  @Override
  public void close() throws VfioException {
    container.close();
    iommufd.close();
  }
}
