package io.github.vfio4j.fake;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.entry.HostOpener;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;

/** A host with one device, bound to vfio-pci, in group 7: its sysfs and its kernel. */
public final class FakeMachine {
  public static final PciAddress ADDRESS = PciAddress.of("0000:00:05.0");
  public static final int GROUP = 7;

  public final FakeKernel kernel = new FakeKernel();
  public final FakeHost files;
  public final Host host;

  public FakeMachine(Path root) throws VfioException {
    files =
        new FakeHost(root)
            .device(ADDRESS.toString())
            .group(GROUP, ADDRESS.toString())
            .driver(ADDRESS.toString(), "vfio-pci")
            .misc("iommu", "dev/iommu", 124)
            .misc("vfio", "dev/vfio/vfio", 196);
    host = new Host(kernel, files.sysfs());
    DeviceNode cdev = device().cdev().orElseThrow();
    kernel.device(cdev.path().toString(), cdev.number());
    DeviceNode group = files.sysfs().group(GROUP).node().orElseThrow();
    kernel.group(group.path().toString(), group.number());
  }

  /** Which ioctl maps on an interface. */
  public static Ioctl mapOperation(Backend backend) {
    return backend == Backend.IOMMUFD ? Ioctl.IOMMU_IOAS_MAP : Ioctl.VFIO_IOMMU_MAP_DMA;
  }

  /** Which ioctl unmaps on an interface. */
  public static Ioctl unmapOperation(Backend backend) {
    return backend == Backend.IOMMUFD ? Ioctl.IOMMU_IOAS_UNMAP : Ioctl.VFIO_IOMMU_UNMAP_DMA;
  }

  public HostDevice device() throws VfioException {
    return files.sysfs().device(ADDRESS);
  }

  public VfioDevice open(Backend backend) throws VfioException {
    return new HostOpener(host).open(device(), backend);
  }
}
