package io.github.vfio4j.entry;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceOpener;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.Way;
import io.github.vfio4j.opening.Ways;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.recording.DeviceEvent;
import io.github.vfio4j.recording.Recorded;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.nio.file.Path;
import java.util.Optional;

/** Opens the devices of a host, on the interface that fits. */
public final class HostOpener implements DeviceOpener {
  /** Where devices are opened; asked for late, so that finding needs no native access. */
  @FunctionalInterface
  private interface HostSource {
    Host get() throws VfioException;
  }

  private final Sysfs sysfs;
  private final HostSource host;

  /** Opens the devices of this host. */
  public HostOpener() {
    this(Sysfs.host(), Host::running);
  }

  /** Opens the devices of a host that stands in for this one. */
  public HostOpener(Host host) {
    this(host.sysfs(), () -> host);
  }

  private HostOpener(Sysfs sysfs, HostSource host) {
    this.sysfs = sysfs;
    this.host = host;
  }

  @Override
  public HostDevice find(PciAddress address) throws VfioException {
    return sysfs.device(address);
  }

  @Override
  public HostDevice find(Path path) throws VfioException {
    return sysfs.deviceAt(path);
  }

  @Override
  public VfioDevice open(HostDevice device) throws VfioException {
    HostFiles files = new HostFiles(sysfs);
    Ways ways = Ways.to(files, device);
    Way iommufd = ways.iommufd();
    if (iommufd.isWhole()) {
      return openOrElse(device, iommufd, ways);
    }
    Way container = ways.container();
    if (container.isWhole()) {
      return open(
          device, new BackendChoice(Backend.CONTAINER, iommufd.obstacles().getFirst().seen()));
    }
    Admission.requireToken(files, device);
    // none is whole: the kernel, or a check on the way, says more than what was seen from outside
    return open(device, device.cdev().isPresent() ? choice(iommufd) : choice(container));
  }

  /** Opens through iommufd, and through a container where only the kernel knew of an obstacle. */
  private VfioDevice openOrElse(HostDevice device, Way iommufd, Ways ways) throws VfioException {
    try {
      return open(device, choice(iommufd));
    } catch (NotPermittedException refused) {
      if (!ways.container().isWhole()) {
        throw refused;
      }
      try {
        return open(
            device, new BackendChoice(Backend.CONTAINER, String.valueOf(refused.getMessage())));
      } catch (VfioException e) {
        refused.addSuppressed(e);
        throw refused;
      }
    }
  }

  private static BackendChoice choice(Way way) {
    return new BackendChoice(way.backend(), way.passed());
  }

  @Override
  public VfioDevice open(HostDevice device, Backend backend) throws VfioException {
    return open(device, Admission.asked(backend));
  }

  private VfioDevice open(HostDevice device, BackendChoice choice) throws VfioException {
    return recorded(
        () ->
            switch (choice.backend()) {
              case IOMMUFD -> Iommufd.openDevice(host.get(), device, choice);
              case CONTAINER -> Container.openDevice(host.get(), device, choice);
              case MODEL -> throw noModel(device.name());
            });
  }

  @Override
  public VfioDevice open(HostDevice device, IoAddressSpace space) throws VfioException {
    return recorded(
        () ->
            switch (space) {
              case Ioas ioas -> ioas.openDevice(device);
              case Container container -> container.openDevice(device);
              default -> throw noSpaceFor(device.name(), space);
            });
  }

  @Override
  public VfioDevice bindAndOpen(PciAddress address) throws VfioException {
    return bindAndOpen(address, this::open);
  }

  @Override
  public VfioDevice bindAndOpen(PciAddress address, Backend backend) throws VfioException {
    if (backend == Backend.MODEL) {
      throw noModel(address.toString()); // before the device is taken from its driver
    }
    return bindAndOpen(address, device -> open(device, backend));
  }

  @Override
  public VfioDevice bindAndOpen(PciAddress address, IoAddressSpace space) throws VfioException {
    if (!(space instanceof Ioas || space instanceof Container)) {
      throw noSpaceFor(address.toString(), space);
    }
    return bindAndOpen(address, device -> open(device, space));
  }

  private static IllegalArgumentException noModel(String device) {
    return new IllegalArgumentException(device + " is a device of this host, not a device model");
  }

  private static IllegalArgumentException noSpaceFor(String device, IoAddressSpace space) {
    return new IllegalArgumentException(device + " cannot do its DMA in " + space);
  }

  private interface OpeningOf {
    VfioDevice open(HostDevice device) throws VfioException;
  }

  private VfioDevice bindAndOpen(PciAddress address, OpeningOf opening) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      DriverBinding binding =
          rollback.make(() -> DriverBinding.bind(sysfs, address), DriverBinding::close);
      VfioDevice device = rollback.make(() -> opening.open(binding.device()), VfioDevice::close);
      return rollback.done(new AssignedDevice(device, binding));
    }
  }

  private interface Opening {
    VfioDevice run() throws VfioException;
  }

  private static VfioDevice recorded(Opening opening) throws VfioException {
    Optional<DeviceEvent.Open> event = Recorded.begin(DeviceEvent.Open::new);
    VfioDevice opened = opening.run();
    event.ifPresent(open -> open.commit(opened.name(), opened.choice()));
    return opened;
  }

  /** Returns whose devices it opens. */
  @Override
  public String toString() {
    return "opener of devices, " + sysfs;
  }
}
