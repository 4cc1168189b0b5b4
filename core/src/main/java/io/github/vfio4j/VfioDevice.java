package io.github.vfio4j;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.sysfs.HostDevice;
import io.github.vfio4j.sysfs.PciAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A device that this process drives.
 *
 * <p>It is opened through its own node and iommufd ({@link CdevDevice}), or through its group and a
 * container ({@link GroupDevice}); what both can do is here, and a driver needs no more.
 *
 * <p>The device owns its mapped regions and interrupts and, where it was opened without one, its IO
 * address space. Closing it ends them, after the device itself, which by then does no more DMA. All
 * methods may be called from any thread. After {@link #close} they throw {@link
 * IllegalStateException}.
 */
public abstract sealed class VfioDevice implements AutoCloseable permits CdevDevice, GroupDevice {
  private static final Path NODES = Path.of("/dev/vfio/devices");

  final Host host;
  final Fd fd;
  private final String name;
  private final BackendChoice choice;
  private final DeviceInfo info;
  private final Map<Integer, Region> regions = new TreeMap<>();
  private final Map<Integer, Interrupts> interrupts = new TreeMap<>();
  private final Set<MappedRegion> mappedRegions = ConcurrentHashMap.newKeySet();
  private final Object closeLock;
  private boolean closed;
  private @Nullable AutoCloseableParent parent;

  /** What was opened for this device alone, and ends after it. */
  @FunctionalInterface
  interface AutoCloseableParent {
    void close() throws VfioException;
  }

  /**
   * Takes over an open device file; the caller closes it if this throws.
   *
   * @param closeLock is held while it is being closed
   */
  VfioDevice(Host host, String name, Fd fd, BackendChoice choice, Object closeLock)
      throws VfioException {
    this.closeLock = closeLock;
    this.host = host;
    this.name = name;
    this.fd = fd;
    this.choice = choice;
    this.info = DeviceInfo.read(fd);
  }

  /**
   * Opens a PCI device with an IO address space of its own, through the newest interface that this
   * kernel has for it; {@link #choice} tells which.
   *
   * @param address the device's PCI address
   * @return the open device; the caller closes it
   * @throws NoSuchDeviceException if there is no such device
   * @throws DeviceNotBoundException if no VFIO driver is bound to it, or its group is not viable
   * @throws DeviceBusyException if somebody else has it open
   * @throws NotPermittedException if this user may not open it, or interrupts are not isolated
   * @throws VfioException if the kernel refuses otherwise; nothing is left open then
   */
  public static VfioDevice open(PciAddress address) throws VfioException {
    Host host = Host.running();
    return open(host, host.sysfs().device(address));
  }

  /**
   * Opens a PCI device with an IO address space of its own, through a given interface.
   *
   * @param address the device's PCI address
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws UnsupportedByKernelException if this kernel does not have the interface
   * @throws VfioException as {@link #open(PciAddress)}
   */
  public static VfioDevice open(PciAddress address, Backend backend) throws VfioException {
    Host host = Host.running();
    return open(host, host.sysfs().device(address), BackendChoice.asked(backend));
  }

  /**
   * Opens a PCI device on an IO address space that other devices may share.
   *
   * @param address the device's PCI address
   * @param space the IO address space, which decides the interface
   * @return the open device; the caller closes it, or the owner of the address space does
   * @throws VfioException as {@link #open(PciAddress)}
   */
  public static VfioDevice open(PciAddress address, IoAddressSpace space) throws VfioException {
    Host host = Host.running();
    return open(host, host.sysfs().device(address), space);
  }

  /**
   * Opens a device by path with an IO address space of its own.
   *
   * @param path the device's directory in sysfs, which may be a mediated device's, or its node in
   *     {@code /dev/vfio/devices}
   * @return the open device; the caller closes it
   * @throws VfioException as {@link #open(PciAddress)}
   */
  public static VfioDevice open(Path path) throws VfioException {
    Host host = Host.running();
    return open(host, at(host, path));
  }

  /**
   * Opens a device by path with an IO address space of its own, through a given interface.
   *
   * @param path as {@link #open(Path)}
   * @param backend the interface
   * @return the open device; the caller closes it
   * @throws UnsupportedByKernelException if this kernel does not have the interface
   * @throws VfioException as {@link #open(PciAddress)}
   */
  public static VfioDevice open(Path path, Backend backend) throws VfioException {
    Host host = Host.running();
    return open(host, at(host, path), BackendChoice.asked(backend));
  }

  /**
   * Opens a device by path on an IO address space that other devices may share.
   *
   * @param path as {@link #open(Path)}
   * @param space the IO address space, which decides the interface
   * @return the open device; the caller closes it, or the owner of the address space does
   * @throws VfioException as {@link #open(PciAddress)}
   */
  public static VfioDevice open(Path path, IoAddressSpace space) throws VfioException {
    Host host = Host.running();
    return open(host, at(host, path), space);
  }

  private static HostDevice at(Host host, Path path) throws VfioException {
    if (!path.startsWith(NODES)) {
      return host.sysfs().deviceAt(path);
    }
    Fd node = host.open(path.toString(), NoSuchDeviceException::new, "no device has this node now");
    try {
      return host.sysfs().deviceOf(OpenNode.number(host.kernel(), node));
    } finally {
      node.close();
    }
  }

  static VfioDevice open(Host host, HostDevice device) throws VfioException {
    return open(host, device, BackendChoice.automatic(host, device));
  }

  static VfioDevice open(Host host, HostDevice device, BackendChoice choice) throws VfioException {
    Optional<DeviceEvent.Open> event = Recorded.begin(DeviceEvent.Open::new);
    VfioDevice opened =
        switch (choice.backend()) {
          case IOMMUFD -> {
            Iommufd iommufd = Iommufd.open(host);
            yield withOwnParent(
                iommufd::close,
                () -> CdevDevice.open(host, device, iommufd.allocateIoas(), choice));
          }
          case CONTAINER -> {
            Container container = Container.open(host, Container.Type.TYPE1V2);
            yield withOwnParent(
                container::close, () -> GroupDevice.open(host, device, container, choice));
          }
        };
    event.ifPresent(open -> open.commit(opened));
    return opened;
  }

  static VfioDevice open(Host host, HostDevice device, IoAddressSpace space) throws VfioException {
    BackendChoice choice =
        new BackendChoice(space.backend(), "the address space is of that interface");
    Optional<DeviceEvent.Open> event = Recorded.begin(DeviceEvent.Open::new);
    VfioDevice opened =
        switch (space) {
          case Ioas ioas -> CdevDevice.open(host, device, ioas, choice);
          case Container container -> GroupDevice.open(host, device, container, choice);
        };
    event.ifPresent(open -> open.commit(opened));
    return opened;
  }

  @FunctionalInterface
  private interface Opening {
    VfioDevice run() throws VfioException;
  }

  private static VfioDevice withOwnParent(AutoCloseableParent parent, Opening opening)
      throws VfioException {
    try {
      VfioDevice device = opening.run();
      device.parent = parent;
      return device;
    } catch (VfioException | RuntimeException e) {
      FirstFailure.undo(e, parent::close);
      throw e;
    }
  }

  /**
   * Returns the device's name.
   *
   * @return the PCI address, or the UUID of a mediated device
   */
  public String name() {
    return name;
  }

  /**
   * Tells whether the device was closed.
   *
   * @return whether {@link #close} has begun
   */
  public boolean isClosed() {
    return fd.isClosed();
  }

  /**
   * Returns which interface the device was opened through, and why.
   *
   * @return the choice made at opening
   */
  public BackendChoice choice() {
    return choice;
  }

  /**
   * Returns what the kernel says of the device.
   *
   * @return as read at opening
   */
  public DeviceInfo info() {
    return info;
  }

  /**
   * Returns the IO address space that the device does its DMA in.
   *
   * @return the address space
   * @throws IllegalStateException if the device is attached to none
   */
  public abstract IoAddressSpace addressSpace();

  /**
   * Returns a region; {@code VFIO_DEVICE_GET_REGION_INFO}, once per region.
   *
   * @param index the kernel's number: for PCI devices 0 to 5 are the BARs, 6 the ROM, 7 the
   *     configuration space
   * @return the region; one that the device does not have has size 0
   * @throws IndexOutOfBoundsException if the index is not below {@link DeviceInfo#regionCount}
   * @throws VfioException if the kernel refuses
   */
  public Region region(int index) throws VfioException {
    requireIndex(index, info.regionCount(), "region");
    synchronized (regions) {
      Region region = regions.get(index);
      if (region == null) {
        region = new Region(this, kernel(), fd, RegionInfo.read(fd, index));
        regions.put(index, region);
      }
      return region;
    }
  }

  /**
   * Returns the PCI configuration space.
   *
   * @return the configuration space
   * @throws UnsupportedOperationException if this is not a PCI device
   * @throws VfioException if the kernel refuses
   */
  public ConfigSpace config() throws VfioException {
    if (!info.pci()) {
      throw new UnsupportedOperationException(name + " is not a PCI device");
    }
    return new ConfigSpace(region(ConfigSpace.REGION));
  }

  /**
   * Returns the interrupts of one kind; {@code VFIO_DEVICE_GET_IRQ_INFO}, once per kind.
   *
   * @param index the kernel's number of the kind; {@link Interrupts} names those of PCI
   * @return the interrupts; a kind that the device does not have has count 0
   * @throws IndexOutOfBoundsException if the index is not below {@link DeviceInfo#irqCount}
   * @throws VfioException if the kernel refuses
   */
  public Interrupts interrupts(int index) throws VfioException {
    requireIndex(index, info.irqCount(), "interrupt index");
    synchronized (interrupts) {
      Interrupts known = interrupts.get(index);
      if (known == null) {
        known = Interrupts.read(this, kernel(), fd, index);
        interrupts.put(index, known);
      }
      return known;
    }
  }

  private void requireIndex(int index, int count, String what) {
    if (index < 0 || index >= count) {
      throw new IndexOutOfBoundsException(
          "%s has no %s %d, only 0 to %d".formatted(name, what, index, count - 1));
    }
  }

  /**
   * Resets the device by itself; {@code VFIO_DEVICE_RESET}.
   *
   * <p>The kernel restores the configuration space; registers and interrupt vectors of the device
   * are as after power-on.
   *
   * @throws UnsupportedByKernelException if the device has no reset of its own
   * @throws VfioException if the kernel refuses
   */
  public void reset() throws VfioException {
    if (fd.isClosed()) {
      throw new IllegalStateException(name + " is closed");
    }
    if (!info.resettable()) {
      throw new UnsupportedByKernelException(
          Ioctl.VFIO_DEVICE_RESET.name(), name, null, "the device has no reset of its own");
    }
    Optional<DeviceEvent.Reset> event = Recorded.begin(DeviceEvent.Reset::new);
    int answer = fd.ioctl(Ioctl.VFIO_DEVICE_RESET, 0);
    if (answer < 0) {
      throw Failure.of(Ioctl.VFIO_DEVICE_RESET, name, answer);
    }
    event.ifPresent(reset -> reset.commit(this));
  }

  final Kernel kernel() {
    return host.kernel();
  }

  final void own(MappedRegion mapped) throws VfioException {
    mappedRegions.add(mapped);
    if (fd.isClosed()) {
      mapped.close();
      throw new IllegalStateException(name + " is closed");
    }
  }

  final void disown(MappedRegion mapped) {
    mappedRegions.remove(mapped);
  }

  /** Ends what closing the file does not end by itself. */
  void stop(FirstFailure failure) {}

  final void disableInterrupts() throws VfioException {
    synchronized (interrupts) {
      for (Interrupts kind : interrupts.values()) {
        kind.disable();
      }
    }
  }

  /** Tells the owner that this device is closed. Takes no lock. */
  abstract void leaveOwner();

  /**
   * Closes the device: its mappings first, since they keep it busy, then the device, which stops
   * its DMA and interrupts, then what was opened for it alone. Later calls do nothing; a call while
   * another thread is closing waits for it.
   *
   * @throws VfioException the first failure, with the others attached; all that could be closed is
   *     closed
   */
  @Override
  public final void close() throws VfioException {
    FirstFailure failure = new FirstFailure();
    AutoCloseableParent last;
    synchronized (closeLock) {
      if (closed) {
        return;
      }
      closed = true;
      Optional<DeviceEvent.Close> event = Recorded.begin(DeviceEvent.Close::new);
      closeSelf(failure);
      event.ifPresent(close -> close.commit(this));
      last = parent;
    }
    if (last != null) {
      failure.attempt(last::close);
    }
    failure.rethrow();
  }

  private void closeSelf(FirstFailure failure) {
    for (MappedRegion mapped : mappedRegions) {
      failure.attempt(mapped::close);
    }
    stop(failure);
    int answer = fd.close();
    if (answer < 0) {
      failure.add(Failure.of("close", name, answer, ""));
    }
    for (MappedRegion mapped : mappedRegions) {
      failure.attempt(mapped::close);
    }
    synchronized (interrupts) {
      for (Interrupts kind : interrupts.values()) {
        kind.deviceClosed(failure);
      }
    }
    leaveOwner();
  }

  /** Returns what messages call this device. */
  @Override
  public String toString() {
    return name;
  }
}
