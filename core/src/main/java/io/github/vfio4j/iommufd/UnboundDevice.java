package io.github.vfio4j.iommufd;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;

/**
 * The open node of a device (its cdev) that is bound to no iommufd yet.
 *
 * <p>It is the first of two steps to a {@link CdevDevice}, for what has to come between them: a
 * virtual machine is told of the device before it is bound, or its file is handed to another
 * process, which binds it. {@link Iommufd#bind(UnboundDevice)} is the second. Thread-safe. Once it
 * is closed or bound, its methods throw {@link IllegalStateException}.
 */
public final class UnboundDevice implements AutoCloseable {
  private final HostDevice device;
  private final Fd file;
  private final boolean passed;
  private final Dependents registrations = new Dependents();
  private boolean bound;
  private boolean closed;

  private UnboundDevice(HostDevice device, Fd file, boolean passed) {
    this.device = device;
    this.file = file;
    this.passed = passed;
  }

  /**
   * Opens the node of a device that an IOMMU guards.
   *
   * @param device the device, as sysfs shows it
   * @return the open node; the caller binds it or closes it
   * @throws UnsupportedByKernelException if the kernel has no node for the device (Linux 6.6 was
   *     the first that had them)
   * @throws VfioException as {@link Iommufd#bind(HostDevice)}
   */
  public static UnboundDevice open(HostDevice device) throws VfioException {
    return open(Host.running(), device);
  }

  static UnboundDevice open(Host host, HostDevice device) throws VfioException {
    Admission.requireBound(host, device);
    Admission.requireIommu(host, device);
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> openNode(host, device), Fd::close);
      return rollback.done(new UnboundDevice(device, file, false));
    }
  }

  /**
   * Uses a node that somebody else has opened and passed to this process.
   *
   * @param fd the number of the open file; it is duplicated, so the caller's stays the caller's.
   *     What {@link Iommufd#bindPassed} says of closing holds here, too
   * @return the open node; the caller binds it or closes it
   * @throws VfioException if the file is not a VFIO device's
   */
  public static UnboundDevice ofFd(int fd) throws VfioException {
    Host host = Host.running();
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> OpenNode.duplicate(host.kernel(), fd), Fd::close);
      HostDevice device = host.sysfs().deviceOf(OpenNode.number(host.kernel(), file));
      Admission.requireIommu(host, device);
      return rollback.done(new UnboundDevice(device, file, true));
    }
  }

  /** Opens the node of a device, and proves that it is the device's. */
  static Fd openNode(Host host, HostDevice device) throws VfioException {
    if (device.cdev().isEmpty()) {
      Admission.requireBound(host, device);
      throw new UnsupportedByKernelException(
          "open",
          device.name(),
          null,
          "this kernel has no node for it in /dev/vfio/devices (Linux 6.6 with"
              + " CONFIG_VFIO_DEVICE_CDEV has them)");
    }
    DeviceNode node = device.cdev().get();
    try (Rollback rollback = new Rollback()) {
      Fd file =
          rollback.make(
              () ->
                  host.open(
                      node.path().toString(),
                      () -> isNodeOf(host, node, device),
                      NoSuchDeviceException::new,
                      "sysfs names this node for " + device.name() + ", but it is not there"),
              Fd::close);
      OpenNode.require(host.kernel(), file, node);
      if (!isNodeOf(host, node, device)) { // from here on it cannot change: the open file holds it
        throw new NoSuchDeviceException(
            "open",
            device.name(),
            null,
            "it has gone since it was looked up, and " + node + " with it");
      }
      return rollback.done(file);
    }
  }

  private static boolean isNodeOf(Host host, DeviceNode node, HostDevice device)
      throws VfioException {
    try {
      return host.sysfs().deviceOf(node.number()).name().equals(device.name());
    } catch (NoSuchDeviceException gone) {
      return false;
    }
  }

  /**
   * Returns which device it is.
   *
   * @return the device, as sysfs shows it
   */
  public HostDevice device() {
    return device;
  }

  /**
   * Lends the file.
   *
   * @return the file
   */
  @SuppressWarnings("exports") // for the packages of this module
  public synchronized Fd file() {
    requireUnbound();
    return file;
  }

  /**
   * Returns who holds the file besides this, and lets go of it before it is closed.
   *
   * @return whose closing ends that; it goes over to the device that is made of this
   */
  @SuppressWarnings("exports") // for the packages of this module
  public synchronized Dependents registrations() {
    requireUnbound();
    return registrations;
  }

  private void requireUnbound() {
    if (closed) {
      throw new IllegalStateException("the node of " + device.name() + " is closed");
    }
    if (bound) {
      throw new IllegalStateException(
          device.name() + " is bound already; what is to know of it before comes before binding");
    }
  }

  synchronized CdevDevice bind(Iommufd iommufd) throws VfioException {
    requireUnbound();
    String why = passed ? "its open file was passed" : "the caller has opened its node";
    Binding binding = new Binding(iommufd);
    int id = binding.bindIoctl(device, file);
    try (Rollback rollback = new Rollback()) {
      rollback.add(this::close); // a file is bound once in its life
      BackendChoice choice = new BackendChoice(Backend.IOMMUFD, why);
      CdevDevice made = binding.own(device, file, choice, id, registrations, passed);
      bound = true;
      return rollback.done(made);
    }
  }

  /**
   * Closes the node, unless it is bound: then the device has it. Later calls do nothing.
   *
   * @throws VfioException if the kernel tells of an error; it is closed all the same
   */
  @Override
  public synchronized void close() throws VfioException {
    if (bound) {
      return;
    }
    closed = true;
    Closing closing = new Closing();
    registrations.close(closing); // once more, where the kernel has refused before
    closing.attempt(() -> Answer.require("close", device.name(), file.close(), ""));
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "node of " + device.name();
  }
}
