package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.bindings.vfio_group_status;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.sysfs.DeviceNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An IOMMU group in a {@link Container}: the devices that the IOMMU cannot tell apart.
 *
 * <p>The container opens it, owns it and closes it. Thread-safe.
 */
public final class Group {
  private final int number;
  private final Fd fd;
  private final Set<GroupDevice> devices = ConcurrentHashMap.newKeySet();

  private Group(int number, Fd fd) {
    this.number = number;
    this.fd = fd;
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
    Fd fd =
        host.open(
            node.path().toString(),
            DeviceNotBoundException::new,
            "sysfs names this node for group " + number + ", but it is not there");
    try {
      OpenNode.require(host.kernel(), fd, node);
      requireViable(host, fd, number);
      setContainer(fd, containerFd);
      return new Group(number, fd);
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static void requireViable(Host host, Fd fd, int number) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(vfio_group_status.LAYOUT);
      vfio_group_status.argsz(status, (int) vfio_group_status.SIZEOF);
      int answer = fd.ioctl(Ioctl.VFIO_GROUP_GET_STATUS, status);
      if (answer < 0) {
        throw Failure.of(Ioctl.VFIO_GROUP_GET_STATUS, fd.object(), answer);
      }
      if ((vfio_group_status.flags(status) & vfio_h.VFIO_GROUP_FLAGS_VIABLE) == 0) {
        throw new DeviceNotBoundException(
            Ioctl.VFIO_GROUP_GET_STATUS.name(),
            fd.object(),
            null,
            "the group is not viable" + Neighbours.inTheWay(host.sysfs(), number));
      }
    }
  }

  private static void setContainer(Fd fd, int containerFd) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      int answer =
          fd.ioctl(Ioctl.VFIO_GROUP_SET_CONTAINER, arena.allocateFrom(JAVA_INT, containerFd));
      if (answer < 0) {
        throw Failure.of(Ioctl.VFIO_GROUP_SET_CONTAINER, fd.object(), answer);
      }
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

  /** Opens a member and returns its file; {@code VFIO_GROUP_GET_DEVICE_FD}. */
  int deviceFd(String name) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      int answer = fd.ioctl(Ioctl.VFIO_GROUP_GET_DEVICE_FD, arena.allocateFrom(name));
      if (answer < 0) {
        throw Failure.of(Ioctl.VFIO_GROUP_GET_DEVICE_FD, name + " in " + fd.object(), answer);
      }
      return answer;
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
      MemorySegment status = arena.allocate(vfio_group_status.LAYOUT);
      vfio_group_status.argsz(status, (int) vfio_group_status.SIZEOF);
      if (fd.ioctl(Ioctl.VFIO_GROUP_GET_STATUS, status) != -Errno.ENODEV.number()) {
        return false;
      }
    }
    fd.close();
    return true;
  }

  void add(GroupDevice device) {
    devices.add(device);
  }

  void forget(GroupDevice device) {
    devices.remove(device);
  }

  /** Closes the members that are open, and the group; it leaves its container with that. */
  void close() throws VfioException {
    FirstFailure failure = new FirstFailure();
    for (GroupDevice device : devices) {
      failure.attempt(device::close);
    }
    int answer = fd.close();
    if (answer < 0) {
      failure.add(Failure.of("close", fd.object(), answer, ""));
    }
    failure.rethrow();
  }

  /** Returns what messages call this group. */
  @Override
  public String toString() {
    return "group " + number;
  }
}
