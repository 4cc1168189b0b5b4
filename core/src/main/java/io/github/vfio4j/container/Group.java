package io.github.vfio4j.container;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_group_status;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.opening.Refused;
import io.github.vfio4j.opening.Registration;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An IOMMU group in a {@link Container}: the devices that the IOMMU cannot tell apart.
 *
 * <p>The container opens it, owns it and closes it. Thread-safe.
 */
public final class Group {
  private final int number;
  private final Fd file;
  private final Dependents devices = new Dependents();
  private final Dependents registrations = new Dependents();

  private Group(int number, Fd file) {
    this.number = number;
    this.file = file;
  }

  /** Opens a group and puts it into a container, or leaves nothing open. */
  static Group open(Host host, int containerFd, int number) throws VfioException {
    DeviceNode node =
        host.sysfs()
            .group(number)
            .node()
            .orElseThrow(
                () ->
                    new DeviceNotBoundException(
                        "open",
                        "group " + number,
                        null,
                        "no device in it is bound to a VFIO driver, or this kernel has no groups"));
    try (Rollback rollback = new Rollback()) {
      Fd file =
          rollback.make(
              () ->
                  host.open(
                      node.path().toString(),
                      () -> host.sysfs().group(number).node().isPresent(),
                      DeviceNotBoundException::new,
                      "sysfs names this node for group " + number + ", but it is not there"),
              Fd::close);
      OpenNode.require(host.kernel(), file, node);
      requireViable(host, file, number);
      setContainer(file, containerFd);
      return rollback.done(new Group(number, file));
    }
  }

  private static void requireViable(Host host, Fd file, int number) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = Request.of(arena, vfio_group_status.LAYOUT);
      Answer.require(
          Ioctl.VFIO_GROUP_GET_STATUS,
          file.object(),
          file.ioctl(Ioctl.VFIO_GROUP_GET_STATUS, status));
      if ((vfio_group_status.flags(status) & vfio_h.VFIO_GROUP_FLAGS_VIABLE) == 0) {
        throw new DeviceNotBoundException(
            Ioctl.VFIO_GROUP_GET_STATUS.name(),
            file.object(),
            null,
            "the group is not viable" + Admission.blockers(host, number));
      }
    }
  }

  private static void setContainer(Fd file, int containerFd) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment container = arena.allocateFrom(JAVA_INT, containerFd);
      Answer.require(
          Ioctl.VFIO_GROUP_SET_CONTAINER,
          file.object(),
          file.ioctl(Ioctl.VFIO_GROUP_SET_CONTAINER, container));
    }
  }

  /**
   * Returns the group's number.
   *
   * @return as in {@code /sys/kernel/iommu_groups}
   */
  public int number() {
    return number;
  }

  /**
   * Lends the file.
   *
   * @return the file
   */
  @SuppressWarnings("exports") // for the packages of this module
  public Fd file() {
    return file;
  }

  /**
   * Returns who holds the file besides this, and lets go of it before it is closed.
   *
   * @return whose closing ends that
   */
  @SuppressWarnings("exports") // for the packages of this module
  public Dependents registrations() {
    return registrations;
  }

  /**
   * Returns whether a device of this group is open here.
   *
   * @return whether one is
   */
  public boolean hasOpenDevice() {
    return !devices.isEmpty();
  }

  /** Opens a member and returns its file; {@code VFIO_GROUP_GET_DEVICE_FD}, with its token. */
  int deviceFd(Host host, HostDevice device) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      String token = device.vfToken().map(uuid -> " vf_token=" + uuid).orElse("");
      MemorySegment name = arena.allocateFrom(device.name() + token);
      int answer =
          Registration.await(
              () -> file.ioctl(Ioctl.VFIO_GROUP_GET_DEVICE_FD, name), () -> isShown(host, device));
      if (answer < 0) {
        throw Refused.of(host, device, Ioctl.VFIO_GROUP_GET_DEVICE_FD, answer);
      }
      return answer;
    }
  }

  private static boolean isShown(Host host, HostDevice device) throws VfioException {
    try {
      return host.sysfs().device(device.name()).hasVfioDriver();
    } catch (NoSuchDeviceException gone) {
      return false;
    }
  }

  /**
   * Closes the group if the kernel has taken it out of the container and out of use, which it does
   * when the last member is unbound.
   *
   * @return whether it did
   */
  boolean dropIfLost() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = Request.of(arena, vfio_group_status.LAYOUT);
      if (file.ioctl(Ioctl.VFIO_GROUP_GET_STATUS, status) != -Errno.ENODEV.number()) {
        return false;
      }
    }
    registrations.close(new Closing()); // whoever knows the group forgets it, or has gone
    file.close();
    registrations.close(new Closing());
    return true;
  }

  void add(GroupDevice device) {
    devices.add(device, device::close);
  }

  void forget(GroupDevice device) {
    devices.remove(device);
  }

  /** Ends what uses the members that are open. Called without the lock of any address space. */
  void endUse(Closing closing) {
    for (Object member : devices.oldestFirst()) {
      if (member instanceof GroupDevice device) {
        device.engine().endUse(closing);
      }
    }
  }

  /** Closes the members that are open, and the group; it leaves its container with that. */
  void close() throws VfioException {
    Closing closing = new Closing();
    devices.close(closing);
    registrations.close(closing);
    closing.attempt(() -> Answer.require("close", file.object(), file.close(), ""));
    registrations.close(closing); // what was being registered meanwhile
    closing.rethrow();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "group " + number;
  }
}
