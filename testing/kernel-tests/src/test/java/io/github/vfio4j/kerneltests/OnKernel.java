package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.entry.HostOpener;
import io.github.vfio4j.event.DispatcherOnKernel;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Iommufds;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.opening.Host;
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

  public static Iommufd iommufd(Kernel kernel, int fd) throws VfioException {
    return Iommufds.ofFd(host(kernel), fd);
  }

  public static VfioDevice device(Kernel kernel, PciAddress address, Backend backend)
      throws VfioException {
    return new HostOpener(host(kernel)).open(Sysfs.host().device(address), backend);
  }

  public static MemoryFile memoryFile(Kernel kernel, long size) throws VfioException {
    return Iommufds.memoryFile(kernel, size);
  }

  public static EventDispatcher dispatcher(Kernel kernel) throws VfioException {
    return DispatcherOnKernel.start(kernel);
  }
}
