package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.outcome.Rollback;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The virtual functions of a physical one with SR-IOV: which there are, making and ending them.
 *
 * <p>They are made by the driver of the physical function. Those that {@code vfio-pci} makes have
 * that driver themselves, and open with a token only ({@link PciDevice#withVfToken}). They end when
 * the physical function is taken from its driver, too.
 *
 * <p>Making and ending takes root. Instances hold nothing but names and are safe for use by many
 * threads.
 */
public final class Sriov {

  private static final String NUMBER = "sriov_numvfs";
  private static final String OPTION = "sys/module/vfio_pci/parameters/enable_sriov";
  private static final Duration NODES = Duration.ofSeconds(5);

  private final Sysfs sysfs;
  private final PciDevice physical;

  private Sriov(Sysfs sysfs, PciDevice physical) {
    this.sysfs = sysfs;
    this.physical = physical;
  }

  /**
   * Looks whether a function can have virtual ones.
   *
   * @param sysfs the host
   * @param device a function
   * @return empty if it is no physical function with SR-IOV, or this kernel is without it
   * @throws VfioException if sysfs cannot be read
   */
  public static Optional<Sriov> of(Sysfs sysfs, PciDevice device) throws VfioException {
    return sysfs.virtualFunctionLimit(device) > 0
        ? Optional.of(new Sriov(sysfs, device))
        : Optional.empty();
  }

  /** {@return the physical function, as it was when this was made} */
  public PciDevice physical() {
    return physical;
  }

  /**
   * Reads how many virtual functions there can be.
   *
   * @return the number that its maker or administrator allows
   * @throws VfioException if sysfs cannot be read
   */
  public int limit() throws VfioException {
    return sysfs.virtualFunctionLimit(physical);
  }

  /**
   * Reads which virtual functions there are.
   *
   * @return the functions by number; none before they are made
   * @throws VfioException if sysfs cannot be read
   */
  public List<PciDevice> functions() throws VfioException {
    return sysfs.virtualFunctions(physical);
  }

  /**
   * Makes virtual functions, and waits for the nodes of those that get a VFIO driver. Whatever
   * fails, there are none afterwards, unless the kernel takes too long: it goes on then, and nobody
   * undoes what it makes. {@link #functions} tells, and {@link #destroy()} ends them.
   *
   * @param number how many
   * @return the functions by number
   * @throws IllegalArgumentException if the number is below 1 or above the {@linkplain #limit
   *     limit}
   * @throws DeviceBusyException if there are some already: the kernel does not add any; or it takes
   *     longer than the {@linkplain Sysfs#withPatience patience} of the sysfs, at least 30 seconds;
   *     then it goes on
   * @throws DeviceNotBoundException if the physical function has no driver
   * @throws UnsupportedByKernelException if its driver makes none; {@code vfio-pci} does with its
   *     option {@code enable_sriov} only
   * @throws NoSuchDeviceException if it has gone
   * @throws NotPermittedException if this user may not make any
   * @throws VfioException if the kernel refuses otherwise, or the nodes do not appear in time
   */
  public List<PciDevice> create(int number) throws VfioException {
    String operation = "create virtual functions";
    int limit = limit();
    if (number < 1 || number > limit) {
      throw new IllegalArgumentException(
          "%s can have 1 to %d virtual functions, not %d".formatted(this, limit, number));
    }
    PciDevice now = sysfs.device(physical.address());
    List<PciDevice> present = sysfs.virtualFunctions(now);
    if (!present.isEmpty()) {
      throw new DeviceBusyException(
          operation,
          now.name(),
          null,
          "it has %d already, which have to end first: %s"
              .formatted(present.size(), names(present)));
    }
    requireDriver(now, operation);
    BoundedWrites writes = writes(now);
    try (Rollback rollback = new Rollback()) {
      rollback.make(() -> write(writes, now, operation, number), made -> undo(writes, now));
      List<PciDevice> functions = new ArrayList<>();
      for (PciDevice function : sysfs.virtualFunctions(now)) {
        functions.add(
            function.hasVfioDriver()
                ? NodeWait.await(sysfs, function.address(), NODES, "; none is kept")
                : function);
      }
      if (functions.size() != number) {
        throw new VfioException(
            operation,
            now.name(),
            null,
            "its driver made %d of %d; none is kept".formatted(functions.size(), number));
      }
      return rollback.done(List.copyOf(functions));
    }
  }

  private void requireDriver(PciDevice now, String operation) throws VfioException {
    if (now.driver().isEmpty()) {
      throw new DeviceNotBoundException(
          operation,
          now.name(),
          null,
          "no driver is bound to it, and drivers make them: bind it to vfio-pci or to its own");
    }
    Directory root = new Directory(sysfs.root(), "vfio-pci");
    if (now.driver().get().equals(VfioDrivers.VFIO_PCI)
        && root.tryFind(OPTION).equals(Optional.of("N"))) {
      throw new UnsupportedByKernelException(
          operation,
          now.name(),
          null,
          "vfio-pci makes them with its option enable_sriov only: echo Y > /" + OPTION);
    }
  }

  private BoundedWrites writes(PciDevice now) throws VfioException {
    return BoundedWrites.of(sysfs, now, DeviceHolder.of(sysfs, now));
  }

  private Integer write(BoundedWrites writes, PciDevice now, String operation, int number)
      throws VfioException {
    Optional<Errno> refusal =
        writes.refusal(
            operation, now.path().resolve(NUMBER), number + "\n", sysfs.patienceWithDrivers());
    if (refusal.isEmpty()) {
      return number;
    }
    if (refusal.get().equals(Errno.ENOENT)) {
      PciDevice still = sysfs.device(physical.address());
      throw new UnsupportedByKernelException(
          operation,
          now.name(),
          refusal.get(),
          "its driver, %s, makes none".formatted(still.driver().orElse("which has gone")));
    }
    throw writes.failure(operation, refusal.get());
  }

  private void undo(BoundedWrites writes, PciDevice now) throws VfioException {
    if (!writes.isUnfinished()) {
      write(writes, now, "end virtual functions", 0);
    }
  }

  /**
   * Ends all virtual functions, unless somebody uses one. Does nothing where there are none.
   *
   * @return those that have ended, as they were
   * @throws VfioException as {@link #destroy(WhenInUse)} does
   */
  public List<PciDevice> destroy() throws VfioException {
    return destroy(WhenInUse.REFUSE);
  }

  /**
   * Ends all virtual functions. Does nothing where there are none.
   *
   * @param whenInUse what to do if the running system uses one
   * @return those that have ended, as they were
   * @throws DeviceBusyException if a process has one open, which is named, or the running system
   *     uses one; then nothing has changed. Or if the kernel takes longer than the {@linkplain
   *     Sysfs#withPatience patience} of the sysfs, at least 30 seconds; then it goes on
   * @throws NoSuchDeviceException if the physical function has gone
   * @throws NotPermittedException if this user may not end any
   * @throws VfioException if the kernel refuses otherwise
   */
  public List<PciDevice> destroy(WhenInUse whenInUse) throws VfioException {
    String operation = "end virtual functions";
    PciDevice now = sysfs.device(physical.address());
    List<PciDevice> functions = sysfs.virtualFunctions(now);
    if (functions.isEmpty()) {
      return functions;
    }
    new DriverControl(sysfs, now).checkFunctionsNotOpen(operation);
    List<String> uses = whenInUse == WhenInUse.REFUSE ? uses(sysfs, functions) : List.of();
    if (!uses.isEmpty()) {
      throw new DeviceBusyException(
          operation,
          now.name(),
          null,
          "the running system would lose "
              + String.join("; ", uses)
              + "; --force ends them anyway");
    }
    write(writes(now), now, operation, 0);
    return functions;
  }

  /** What the running system would lose with some functions. */
  static List<String> uses(Sysfs sysfs, List<PciDevice> functions) throws VfioException {
    List<String> uses = new ArrayList<>();
    for (PciDevice function : functions) {
      for (String use : sysfs.uses(function)) {
        uses.add(use + " of its virtual function " + function.name());
      }
    }
    return uses;
  }

  static String names(List<PciDevice> functions) {
    return String.join(", ", functions.stream().map(PciDevice::name).toList());
  }

  /** Returns which function's they are. */
  @Override
  public String toString() {
    return physical.name();
  }
}
