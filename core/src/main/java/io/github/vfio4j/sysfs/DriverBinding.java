package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Rollback;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A PCI device taken from its driver and bound to {@code vfio-pci}, until this is closed.
 *
 * <p>It is bound by {@code driver_override}, which names one device; writing {@code new_id} would
 * capture all of its kind. Closing gives the device back to the driver that it had. A binding that
 * is never closed outlives the process; {@link #unbind} undoes such a one.
 *
 * <p>Virtual functions of the device (SR-IOV) end with most drivers when it is taken from them, and
 * nothing makes them again: {@link #endedFunctions} tells which have. While a process has one open,
 * or the running system uses one, it is not taken.
 *
 * <p>Binding takes root. Instances are safe for use by many threads.
 */
public final class DriverBinding implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Sysfs sysfs;
  private final PciDevice device;
  private final DriverState former;
  private volatile List<PciAddress> endedFunctions;
  private volatile boolean restored;

  private DriverBinding(
      Sysfs sysfs, PciDevice device, DriverState former, List<PciAddress> endedFunctions) {
    this.sysfs = sysfs;
    this.device = device;
    this.former = former;
    this.endedFunctions = List.copyOf(endedFunctions);
  }

  /**
   * Binds a device to {@code vfio-pci} and waits up to five seconds for its node.
   *
   * @param sysfs the host
   * @param address the device
   * @return the binding; one that changes nothing if the device has a VFIO driver already
   * @throws VfioException as {@link #bind(Sysfs, PciAddress, Duration)} does
   */
  public static DriverBinding bind(Sysfs sysfs, PciAddress address) throws VfioException {
    return bind(sysfs, address, PATIENCE);
  }

  /**
   * Binds a device that the running system does not use to {@code vfio-pci}, and waits for its
   * nodes.
   *
   * @param sysfs the host
   * @param address the device
   * @param patience how long to wait for the nodes; zero to bind without them, as in a container
   *     with a {@code /dev} of its own
   * @return the binding; one that changes nothing if the device has a VFIO driver already
   * @throws IllegalArgumentException if the time is negative
   * @throws VfioException as {@link #bind(Sysfs, PciAddress, Duration, WhenInUse)} does
   */
  public static DriverBinding bind(Sysfs sysfs, PciAddress address, Duration patience)
      throws VfioException {
    return bind(sysfs, address, patience, WhenInUse.REFUSE);
  }

  /**
   * Binds a device to {@code vfio-pci}, or to the VFIO driver that its {@code driver_override}
   * names, and waits until every node that the kernel announces for it is under {@code /dev/vfio}
   * with the right number. Whatever fails, the device gets its former driver back.
   *
   * @param sysfs the host
   * @param address the device
   * @param patience how long to wait for the nodes; zero to bind without them, as in a container
   *     with a {@code /dev} of its own
   * @param whenInUse what to do if the running system uses the device
   * @return the binding; one that changes nothing if the device has a VFIO driver already
   * @throws IllegalArgumentException if the time is negative
   * @throws NoSuchDeviceException if there is no such device
   * @throws UnsupportedByKernelException if {@code vfio-pci} is not loaded, or the device is a
   *     bridge
   * @throws DeviceBusyException if the running system uses the device, or the kernel takes longer
   *     than the {@linkplain Sysfs#withPatience patience} of the sysfs
   * @throws io.github.vfio4j.NotPermittedException if this user may not bind drivers
   * @throws VfioException if the kernel refuses, or the nodes do not appear in time
   */
  public static DriverBinding bind(
      Sysfs sysfs, PciAddress address, Duration patience, WhenInUse whenInUse)
      throws VfioException {
    if (patience.isNegative()) {
      throw new IllegalArgumentException("patience must not be negative: " + patience);
    }
    PciDevice former = sysfs.device(address);
    if (former.hasVfioDriver()) {
      PciDevice device = NodeWait.await(sysfs, address, patience, "");
      DriverState unchanged = new DriverState(device.driver(), Optional.empty());
      return new DriverBinding(sysfs, device, unchanged, List.of());
    }
    checkBindable(sysfs, former, whenInUse);
    DriverControl control = new DriverControl(sysfs, former);
    control.checkNotOpen("bind");
    DriverState state = control.state();
    String driver = chosenDriver(state.override());
    if (!sysfs.isLoaded(driver)) {
      throw new UnsupportedByKernelException(
          "bind",
          former.name(),
          null,
          "the %s driver is not loaded: run modprobe %s".formatted(driver, driver));
    }
    List<PciDevice> functions = sysfs.virtualFunctions(former);
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> tellOfEnded(sysfs, "bind", former, functions));
      rollback.add(() -> control.putBack(state));
      control.override(Optional.of(driver));
      if (former.driver().isPresent()) {
        control.unbind(former.driver().get());
      }
      control.bind(driver);
      PciDevice device = NodeWait.await(sysfs, address, patience, otherwise(former));
      return rollback.done(
          new DriverBinding(sysfs, device, state, ended(sysfs, former, functions)));
    }
  }

  /** Which of some virtual functions there are no more. */
  private static List<PciAddress> ended(Sysfs sysfs, PciDevice physical, List<PciDevice> functions)
      throws VfioException {
    List<PciAddress> ended = new ArrayList<>();
    if (!functions.isEmpty()) {
      functions.forEach(function -> ended.add(function.address()));
      sysfs.virtualFunctions(physical).forEach(function -> ended.remove(function.address()));
    }
    return ended;
  }

  /** Says, when all else is undone, what is not. */
  private static void tellOfEnded(
      Sysfs sysfs, String operation, PciDevice physical, List<PciDevice> functions)
      throws VfioException {
    List<PciAddress> ended = ended(sysfs, physical, functions);
    if (!ended.isEmpty()) {
      throw new VfioException(
          operation,
          physical.name(),
          null,
          "its virtual functions have ended, and are not made again: " + join(ended));
    }
  }

  private static String join(List<PciAddress> addresses) {
    return String.join(", ", addresses.stream().map(PciAddress::toString).toList());
  }

  /** Returns the driver that binding takes where an override may name one. */
  static String chosenDriver(Optional<String> override) {
    return override.filter(VfioDrivers::includes).orElse(VfioDrivers.VFIO_PCI);
  }

  private static String otherwise(PciDevice former) {
    return "; it goes back to %s; --no-wait does without nodes, which a container with its own /dev"
            .formatted(former.driver().orElse("having no driver"))
        + " never gets";
  }

  private static void checkBindable(Sysfs sysfs, PciDevice device, WhenInUse whenInUse)
      throws VfioException {
    if (device.isBridge()) {
      throw new UnsupportedByKernelException(
          "bind", device.name(), null, "it is a bridge; bind the devices behind it instead");
    }
    List<String> uses = new ArrayList<>();
    if (whenInUse == WhenInUse.REFUSE) {
      uses.addAll(sysfs.uses(device));
      uses.addAll(Sriov.uses(sysfs, sysfs.virtualFunctions(device)));
    }
    if (!uses.isEmpty()) {
      throw new DeviceBusyException(
          "bind",
          device.name(),
          null,
          "the running system would lose " + String.join("; ", uses) + "; --force takes it anyway");
    }
  }

  /** {@return the device as it was when it had been bound} */
  public PciDevice device() {
    return device;
  }

  /** {@return the driver that the device gets back, if it had one} */
  public Optional<String> formerDriver() {
    return former.driver();
  }

  /**
   * Returns the virtual functions of the device that have ended: because it was taken from its
   * former driver, and, once it {@linkplain #restore is given back}, those that {@code vfio-pci}
   * has made meanwhile.
   *
   * @return their addresses, the latter behind the former; none where there were none, or the
   *     driver leaves them
   */
  public List<PciAddress> endedFunctions() {
    return endedFunctions;
  }

  /**
   * Gives the device back to its former driver, and puts back the former {@code driver_override}.
   * Does nothing the second time, or when the device has gone; a driver that somebody else has
   * bound meanwhile stays.
   *
   * @throws DeviceBusyException if a process still has the device open; if it was found, nothing
   *     has changed, else the kernel goes on and this may be called again
   * @throws VfioException if the kernel refuses
   */
  public synchronized void restore() throws VfioException {
    if (restored || former.driver().equals(device.driver())) {
      return;
    }
    try {
      PciDevice now = sysfs.device(device.address());
      DriverControl control = new DriverControl(sysfs, now);
      if (now.hasVfioDriver() || now.driver().isEmpty()) {
        putBack(control, now);
      } else if (control.state().override().equals(device.driver())) {
        control.override(former.override());
      }
    } catch (NoSuchDeviceException e) {
      // with the device all has gone that there was to restore
    }
    restored = true;
  }

  /** What has ended has, even if the device does not get its driver. */
  private void putBack(DriverControl control, PciDevice now) throws VfioException {
    List<PciDevice> functions = sysfs.virtualFunctions(now);
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> enterEnded(now, functions));
      control.putBack(former);
    }
  }

  private void enterEnded(PciDevice now, List<PciDevice> functions) throws VfioException {
    List<PciAddress> all = new ArrayList<>(endedFunctions);
    all.addAll(ended(sysfs, now, functions));
    endedFunctions = List.copyOf(all);
  }

  /**
   * Does what {@link #restore} does.
   *
   * @throws VfioException as {@link #restore} does
   */
  @Override
  public void close() throws VfioException {
    restore();
  }

  /**
   * Takes a device from its VFIO driver and lets the kernel find the driver it would have had at
   * boot. This is for a binding made by another process, whose former driver nobody knows any more.
   * Virtual functions that {@code vfio-pci} has made of it end.
   *
   * @param sysfs the host
   * @param address the device
   * @return the device as it is now, and which of its virtual functions have ended
   * @throws NoSuchDeviceException if there is no such device
   * @throws DeviceNotBoundException if it has a driver that is no VFIO driver
   * @throws DeviceBusyException if a process still has the device open; if it was found, nothing
   *     has changed, else the kernel goes on, and leaves the device without a driver in the end
   * @throws io.github.vfio4j.NotPermittedException if this user may not bind drivers
   * @throws VfioException if the kernel refuses, or {@code vfio-pci} takes the device again; it is
   *     as it was then
   */
  public static GivenBack unbind(Sysfs sysfs, PciAddress address) throws VfioException {
    PciDevice device = sysfs.device(address);
    DriverControl control = new DriverControl(sysfs, device);
    if (device.driver().isPresent() && !device.hasVfioDriver()) {
      throw new DeviceNotBoundException(
          "unbind",
          device.name(),
          null,
          "its driver is " + device.driver().get() + ", which is no VFIO driver");
    }
    control.checkNotOpen("unbind");
    DriverState state = control.state();
    List<PciDevice> functions = sysfs.virtualFunctions(device);
    try (Rollback rollback = new Rollback()) {
      rollback.add(() -> tellOfEnded(sysfs, "unbind", device, functions));
      rollback.add(() -> control.putBack(state));
      control.override(Optional.empty());
      if (device.driver().isPresent()) {
        control.unbind(device.driver().get());
      }
      control.probe();
      PciDevice now = sysfs.device(address);
      if (now.hasVfioDriver()) {
        throw new VfioException("unbind", now.name(), null, claimed(now));
      }
      return rollback.done(new GivenBack(now, ended(sysfs, now, functions)));
    }
  }

  private static String claimed(PciDevice device) {
    String driver = device.driver().orElseThrow();
    if (!VfioDrivers.includes(driver)) {
      return driver + " is the system's own driver for it, and gives it to user programs itself";
    }
    return ("%s takes all devices %04x:%04x, by its option ids= or its file new_id, and so took it"
            + " again: take that back with `echo %04x %04x > /sys/bus/pci/drivers/%s/remove_id`")
        .formatted(
            driver,
            device.vendorId(),
            device.deviceId(),
            device.vendorId(),
            device.deviceId(),
            driver);
  }

  /**
   * Gives a device that was unbound the VFIO driver again that it had.
   *
   * @param sysfs the host
   * @param former the device as it was before it was unbound
   * @return the device as it is now
   * @throws NoSuchDeviceException if it has gone
   * @throws io.github.vfio4j.NotPermittedException if this user may not bind drivers
   * @throws VfioException if the kernel refuses
   */
  public static PciDevice rebind(Sysfs sysfs, PciDevice former) throws VfioException {
    PciDevice device = sysfs.device(former.address());
    if (former.hasVfioDriver()) {
      new DriverControl(sysfs, device).putBack(new DriverState(former.driver(), former.driver()));
    }
    return NodeWait.await(sysfs, former.address(), PATIENCE, "");
  }

  /** Returns which device has which driver, and whether it was given back. */
  @Override
  public String toString() {
    return "%s bound to %s%s"
        .formatted(
            device.name(), device.driver().orElse("no driver"), restored ? ", given back" : "");
  }
}
