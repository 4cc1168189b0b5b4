package io.github.vfio4j.pci;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_pci_hot_reset;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.pci.DependentDevice.Owner;
import io.github.vfio4j.recording.DeviceEvent;
import io.github.vfio4j.recording.Recorded;
import io.github.vfio4j.sysfs.Sysfs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The hot reset of a PCI device: of its slot, or of its whole bus. It also resets a device that has
 * no reset of its own, or does not come back from that one.
 *
 * <p>It reaches all devices of the slot or bus, so the kernel carries it out only for who has them
 * all: in one iommufd, or in groups of one container. {@link #dependents} tells which those are and
 * who has them.
 *
 * <pre>{@code
 * HotReset reset = HotReset.of(device);
 * if (reset.isPossible()) {
 *   reset.perform();
 * } else {
 *   System.err.println(reset.dependents());
 * }
 * }</pre>
 *
 * <p>What is told is as it was when {@link #of} looked; {@link #perform} looks again. Immutable.
 */
public final class HotReset {
  private static final Ioctl OPERATION = Ioctl.VFIO_DEVICE_PCI_HOT_RESET;

  private final Sysfs sysfs;
  private final OpenDevice device;
  private final HotResetInfo info;
  private final Map<Integer, Fd> groups;
  private final List<DependentDevice> dependents;

  private HotReset(
      Sysfs sysfs,
      OpenDevice device,
      HotResetInfo info,
      Map<Integer, Fd> groups,
      List<DependentDevice> dependents) {
    this.sysfs = sysfs;
    this.device = device;
    this.info = info;
    this.groups = groups;
    this.dependents = List.copyOf(dependents);
  }

  /**
   * Asks what a hot reset of a device would reach; {@code VFIO_DEVICE_GET_PCI_HOT_RESET_INFO}.
   *
   * @param device an open device
   * @return the reset, which has not been carried out
   * @throws IllegalArgumentException if the device was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if neither its slot nor its bus can be reset, or it is not
   *     a PCI device
   * @throws NotPermittedException if a device of the bus is in no IOMMU group
   * @throws VfioException if the kernel refuses otherwise, or sysfs cannot be read
   */
  public static HotReset of(VfioDevice device) throws VfioException {
    return of(OpenDevice.of(device), Sysfs.host());
  }

  /** Looks up who has the devices in the sysfs of a host that stands in for this one. */
  static HotReset of(OpenDevice device, Sysfs sysfs) throws VfioException {
    HotResetInfo info = HotResetInfo.read(device);
    Map<Integer, Fd> groups = device.groups();
    List<DependentDevice> dependents = new ArrayList<>();
    for (HotResetInfo.Entry entry : info.entries()) {
      boolean proven =
          info.byIommufd()
              ? entry.id() != vfio_h.VFIO_PCI_DEVID_NOT_OWNED
              : groups.containsKey(entry.id());
      dependents.add(DependentDevice.of(sysfs, entry.address(), proven));
    }
    return new HotReset(sysfs, device, info, groups, dependents);
  }

  /**
   * Returns what the reset reaches, the device itself included.
   *
   * @return the devices of the slot or bus, in the kernel's order
   */
  public List<DependentDevice> dependents() {
    return dependents;
  }

  /**
   * Returns whether this process has all that the reset reaches.
   *
   * @return whether {@link #perform} could be carried out
   */
  public boolean isPossible() {
    return inTheWay().isEmpty();
  }

  private List<DependentDevice> inTheWay() {
    return dependents.stream()
        .filter(dependent -> dependent.owner() != Owner.THIS_PROCESS)
        .toList();
  }

  /**
   * Resets all devices that it reaches; {@code VFIO_DEVICE_PCI_HOT_RESET}. On the legacy interface
   * the kernel is given the groups of the container, else none.
   *
   * <p>The registers of all of them are as after power-on; the kernel restores their configuration
   * space, and enabled interrupts stay enabled. Whoever accesses a mapped region of one of them
   * meanwhile waits, or gets an {@link InternalError}, as {@link io.github.vfio4j.MappedRegion}
   * says.
   *
   * @throws IllegalStateException if the device or its container is closed
   * @throws DeviceBusyException if a user program has one of the devices, which the message names,
   *     or one is a virtual function; or one of them is being accessed
   * @throws DeviceNotBoundException if one of the devices has no VFIO driver
   * @throws NotPermittedException if nobody has one of the devices open
   * @throws UnsupportedByKernelException if slot and bus cannot be reset
   * @throws VfioException if the kernel refuses otherwise
   */
  public void perform() throws VfioException {
    HotReset now = of(device, sysfs);
    now.requirePossible(null);
    Optional<DeviceEvent.Reset> event = Recorded.begin(DeviceEvent.Reset::new);
    int answer = now.ask();
    if (answer < 0) {
      if (Answer.is(answer, Errno.EINVAL)) { // somebody may have come in between
        of(device, sysfs).requirePossible(Errno.EINVAL);
      }
      throw now.refused(answer);
    }
    event.ifPresent(reset -> reset.commit(device.name()));
  }

  private void requirePossible(@Nullable Errno errno) throws VfioException {
    List<DependentDevice> others = inTheWay();
    if (others.isEmpty()) {
      return;
    }
    String why =
        others.stream()
            .map(DependentDevice::toString)
            .collect(Collectors.joining("; ", "the reset would reach others, too: ", ""));
    if (others.stream().anyMatch(HotReset::isInUse)) {
      throw new DeviceBusyException(OPERATION.name(), device.name(), errno, why);
    }
    if (others.stream().anyMatch(HotReset::isNotBound)) {
      throw new DeviceNotBoundException(OPERATION.name(), device.name(), errno, why);
    }
    throw new NotPermittedException(OPERATION.name(), device.name(), errno, why);
  }

  private static boolean isInUse(DependentDevice device) {
    return device.owner() == Owner.OTHER_USER || device.owner() == Owner.UNPROVABLE;
  }

  private static boolean isNotBound(DependentDevice device) {
    return device.owner() == Owner.KERNEL || device.driver().isEmpty();
  }

  private int ask() {
    List<Fd> files =
        info.byIommufd()
            ? List.of()
            : info.entries().stream()
                .map(HotResetInfo.Entry::id)
                .distinct()
                .map(groups::get)
                .toList();
    List<Fd> held = new ArrayList<>(files.size());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request =
          arena.allocate(
              vfio_pci_hot_reset.SIZEOF + (long) files.size() * Integer.BYTES, Integer.BYTES);
      vfio_pci_hot_reset.argsz(request, (int) request.byteSize());
      vfio_pci_hot_reset.count(request, files.size());
      for (Fd file : files) {
        vfio_pci_hot_reset.group_fds(request, held.size(), file.acquire());
        held.add(file);
      }
      return device.channel().ask(OPERATION, request);
    } finally {
      held.forEach(Fd::release);
    }
  }

  private VfioException refused(int answer) {
    if (Answer.is(answer, Errno.ENOTTY) || Answer.is(answer, Errno.ENODEV)) {
      return new UnsupportedByKernelException(
          OPERATION.name(),
          device.name(),
          new Errno(-answer),
          "the port or bridge above it could not reset its bus");
    }
    String meaning =
        Answer.is(answer, Errno.EBUSY)
            ? "one of the devices is being accessed, reset or put to sleep; try again"
            : "";
    return Answer.failure(OPERATION, device.name(), answer, meaning);
  }

  /** Returns which device would be reset, and what with it. */
  @Override
  public String toString() {
    return "hot reset of %s: %s".formatted(device.name(), dependents);
  }
}
