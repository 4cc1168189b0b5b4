package io.github.vfio4j;

import io.github.vfio4j.sysfs.DeviceNode;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.HostDevice;
import io.github.vfio4j.sysfs.PciAddress;
import java.nio.file.Path;

/** A host with one device, bound to vfio-pci, in group 7: its sysfs and its kernel. */
final class FakeMachine {
  static final PciAddress ADDRESS = PciAddress.of("0000:00:05.0");
  static final int GROUP = 7;

  final FakeKernel kernel = new FakeKernel();
  final FakeHost files;
  final Host host;

  FakeMachine(Path root) throws VfioException {
    files =
        new FakeHost(root)
            .device(ADDRESS.toString())
            .group(GROUP, ADDRESS.toString())
            .driver(ADDRESS.toString(), "vfio-pci")
            .file("sys/class/misc/iommu/dev", "10:124");
    host = new Host(kernel, files.sysfs());
    DeviceNode cdev = device().cdev().orElseThrow();
    kernel.device(cdev.path().toString(), cdev.number());
    DeviceNode group = files.sysfs().group(GROUP).node().orElseThrow();
    kernel.group(group.path().toString(), group.number());
  }

  HostDevice device() throws VfioException {
    return files.sysfs().device(ADDRESS);
  }

  VfioDevice open(Backend backend) throws VfioException {
    return VfioDevice.open(host, device(), BackendChoice.asked(backend));
  }
}
