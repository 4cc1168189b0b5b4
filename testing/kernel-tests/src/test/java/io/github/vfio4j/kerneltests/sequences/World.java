package io.github.vfio4j.kerneltests.sequences;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What a sequence has opened, and what has become of it. Objects that are closed are kept, too. */
final class World {
  /** One of the machine's devices. */
  static final class Hardware {
    final PciAddress address;
    final boolean edu;
    final List<IovaRange> ranges;
    private final Map<IrqKind, Integer> vectors = new EnumMap<>(IrqKind.class);

    /** What was last moved into it, or null if nobody knows. */
    byte @Nullable [] memory;

    /** Opens it once, to see what it is. */
    Hardware(PciAddress address) throws VfioException {
      this.address = address;
      try (VfioDevice device = VfioDevice.open(address)) {
        edu = device.pci().config().deviceId() == 0x11e8;
        ranges = device.addressSpace().iovaRanges();
        for (IrqKind kind : IrqKind.values()) {
          vectors.put(kind, device.pci().irq(kind).count());
        }
      }
    }
  }

  /** An iommufd. */
  static final class Fd {
    final Iommufd iommufd;
    boolean open = true;

    Fd(Iommufd iommufd) {
      this.iommufd = iommufd;
    }
  }

  /** An address space of iommufd. */
  static final class IoasState {
    final Ioas ioas;
    final Fd owner;
    final SpaceModel model;

    IoasState(Ioas ioas, Fd owner, List<IovaRange> narrow) {
      this.ioas = ioas;
      this.owner = owner;
      this.model = new SpaceModel(ioas, narrow, true);
    }
  }

  /** A container. */
  static final class ContainerState {
    final Container container;
    final SpaceModel model;

    /** Whose groups it has; it keeps them when the devices are closed. */
    final Set<Hardware> groups = new HashSet<>();

    ContainerState(Container container, List<IovaRange> narrow) {
      this.container = container;
      this.model = new SpaceModel(container, narrow, false);
    }
  }

  /** A device that was opened, of an iommufd or of a container. */
  static final class DeviceState {
    final VfioDevice device;
    final Hardware hardware;
    final @Nullable Fd fd;
    final @Nullable ContainerState container;
    final VectorsModel vectors;
    final List<MappedRegion> regions = new ArrayList<>();
    boolean open = true;
    boolean busMaster;
    @Nullable IoasState attached;

    /** What was last written to the register that gives its complement, if anything was. */
    @Nullable Integer written;

    DeviceState(
        VfioDevice device, Hardware hardware, @Nullable Fd fd, @Nullable ContainerState container) {
      this.device = device;
      this.hardware = hardware;
      this.fd = fd;
      this.container = container;
      this.vectors = new VectorsModel(hardware.vectors);
    }

    CdevDevice cdev() {
      return (CdevDevice) device;
    }

    /** Where it does its DMA, if anywhere. */
    @Nullable SpaceModel space() {
      if (container != null) {
        return container.model;
      }
      return attached == null ? null : attached.model;
    }
  }

  final List<Fd> fds = new ArrayList<>();
  final List<IoasState> ioases = new ArrayList<>();
  final List<ContainerState> containers = new ArrayList<>();
  final List<DeviceState> devices = new ArrayList<>();

  /** Whether somebody has the node of a device open. */
  boolean isBound(Hardware hardware) {
    return devices.stream()
        .anyMatch(device -> device.open && device.fd != null && device.hardware == hardware);
  }

  /** Whether another container than this one has the group of a device. */
  boolean isGrouped(Hardware hardware, @Nullable ContainerState but) {
    return containers.stream()
        .anyMatch(container -> container != but && container.groups.contains(hardware));
  }

  boolean isAttached(IoasState ioas) {
    return devices.stream().anyMatch(device -> device.open && device.attached == ioas);
  }

  List<SpaceModel> spaces() {
    List<SpaceModel> spaces = new ArrayList<>();
    ioases.forEach(ioas -> spaces.add(ioas.model));
    containers.forEach(container -> spaces.add(container.model));
    return spaces;
  }

  void closed(DeviceState device) {
    if (device.open) {
      device.open = false;
      device.vectors.disabledAll();
      detached(device);
    }
  }

  void detached(DeviceState device) {
    IoasState former = device.attached;
    device.attached = null;
    if (former != null && !isAttached(former)) {
      former.model.left();
    }
  }

  void closed(ContainerState container) {
    devices.stream().filter(device -> device.container == container).forEach(this::closed);
    container.groups.clear();
    container.model.close();
  }

  void closed(Fd fd) {
    devices.stream().filter(device -> device.fd == fd).forEach(this::closed);
    ioases.stream().filter(ioas -> ioas.owner == fd).forEach(ioas -> ioas.model.close());
    fd.open = false;
  }

  /** Forgets the oldest that are closed, so that there are not too many. */
  void prune() {
    int most = 6;
    prune(fds, fds.size() - most, fd -> !fd.open);
    prune(ioases, ioases.size() - most, ioas -> !ioas.model.isOpen());
    prune(containers, containers.size() - most, container -> !container.model.isOpen());
    prune(devices, devices.size() - most, device -> !device.open);
  }

  private static <T> void prune(List<T> all, int tooMany, Predicate<? super T> closed) {
    List<T> gone = all.stream().filter(closed).limit(Math.max(0, tooMany)).toList();
    all.removeAll(gone);
  }
}
