package io.github.vfio4j.fake;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.entry.HostOpener;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.function.Supplier;

/** A host with one device, in group 7: its sysfs, its kernel, and its hardware. */
public final class FakeMachine {
  public static final PciAddress ADDRESS = PciAddress.of("0000:00:05.0");
  public static final int GROUP = 7;

  /** What makes a virtual machine each time that it is opened. */
  public static final String VM = "/dev/kvm";

  private static final DeviceNumber IOMMUFD = new DeviceNumber(10, 124);
  private static final DeviceNumber CONTAINER = new DeviceNumber(10, 196);
  private static final DeviceNumber KVM = new DeviceNumber(10, 232);
  private static final DeviceNumber CDEV = new DeviceNumber(511, 0);
  private static final DeviceNumber OF_GROUP = new DeviceNumber(244, GROUP);

  public final FakeIommu iommu;
  public final FakeRegions regions;
  public final FakeInterrupts interrupts;
  public final FakePci pci;
  public final FakeIoEvents ioEvents = new FakeIoEvents();
  public final FakeDisplay display = new FakeDisplay();
  public final FakeMigration migration = new FakeMigration();
  public final FakeSlots slots = new FakeSlots();
  public final DeviceMappings deviceMappings;
  public final FakeKernel kernel;
  public final FakeHost files;
  public final Host host;

  /** A machine whose device is bound to vfio-pci. */
  public FakeMachine(Path root) throws VfioException {
    this(root, "vfio-pci");
  }

  /** A machine whose device is bound to a driver, and can be bound to vfio-pci once. */
  public FakeMachine(Path root, String driver) throws VfioException {
    this(root, files(root, driver));
  }

  /** A machine whose files are there already, with those of others before it. */
  public FakeMachine(Path root, FakeHost files) throws VfioException {
    this.files = files;
    Kernel real = Kernel.running();
    OpenFiles open = new OpenFiles(real);
    deviceMappings = new DeviceMappings(real);
    iommu = new FakeIommu(real);
    regions = new FakeRegions(deviceMappings);
    interrupts = new FakeInterrupts(real);
    pci = new FakePci(real, open);
    kernel = new FakeKernel(real, open, deviceMappings);
    host = new Host(kernel, files.sysfs());
    Supplier<FakeDevice> device =
        () -> new FakeDevice(open, regions, interrupts, pci, ioEvents, display, migration);
    kernel.node("/dev/iommu", IOMMUFD, () -> new FakeIommufd(real, open, iommu, deviceMappings));
    kernel.node("/dev/vfio/vfio", CONTAINER, () -> new FakeContainer(iommu));
    kernel.node(VM, KVM, () -> new FakeVm(open, slots));
    kernel.node(root + "/dev/vfio/devices/vfio0", CDEV, device::get);
    kernel.node(root + "/dev/vfio/" + GROUP, OF_GROUP, () -> new FakeGroup(open, device));
  }

  /** Makes the files of a machine whose device is bound to a driver. */
  public static FakeHost files(Path root, String driver) {
    return new FakeHost(root)
        .module("vfio-pci")
        .device(ADDRESS.toString())
        .group(GROUP, ADDRESS.toString())
        .driver(ADDRESS.toString(), driver)
        .misc("iommu", "dev/iommu", IOMMUFD.minor())
        .misc("vfio", "dev/vfio/vfio", CONTAINER.minor());
  }

  /** Returns which ioctl maps on an interface. */
  public static Ioctl mapOperation(Backend backend) {
    return backend == Backend.IOMMUFD ? Ioctl.IOMMU_IOAS_MAP : Ioctl.VFIO_IOMMU_MAP_DMA;
  }

  /** Returns which ioctl unmaps on an interface. */
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
