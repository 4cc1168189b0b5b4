package io.github.vfio4j;

import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.sysfs.PciAddress;
import io.github.vfio4j.sysfs.Sysfs;

/** Opens what a test wants to use through a kernel of its own making. */
public final class OnKernel {
  private OnKernel() {}

  private static Host host(Kernel kernel) {
    return new Host(kernel, Sysfs.host());
  }

  public static Iommufd iommufd(Kernel kernel) throws VfioException {
    return Iommufd.open(host(kernel));
  }

  public static Iommufd iommufd(Kernel kernel, int descriptor) throws VfioException {
    return Iommufd.ofFd(host(kernel), descriptor);
  }

  public static VfioDevice device(Kernel kernel, PciAddress address, Backend backend)
      throws VfioException {
    return VfioDevice.open(
        host(kernel), Sysfs.host().device(address), BackendChoice.asked(backend));
  }

  public static MemoryFile memoryFile(Kernel kernel, long size) throws VfioException {
    return MemoryFile.create(kernel, "test", size);
  }

  public static EventDispatcher dispatcher(Kernel kernel) throws VfioException {
    return EventDispatcher.start(kernel);
  }
}
