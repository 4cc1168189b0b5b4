package io.github.vfio4j.iommufd;

import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.opening.Refused;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;

/** Opens the nodes of devices, and binds them to an iommufd. */
final class Binding {
  private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.BIG_ENDIAN);

  private final Iommufd iommufd;
  private final Host host;

  Binding(Iommufd iommufd) {
    this.iommufd = iommufd;
    this.host = iommufd.host();
  }

  /** Binds a device that an IOMMU guards. */
  CdevDevice guarded(HostDevice device, BackendChoice choice) throws VfioException {
    Admission.requireBound(host, device);
    Admission.requireIommu(host, device);
    return unguarded(device, choice);
  }

  /** Binds a device whether or not an IOMMU guards it. */
  CdevDevice unguarded(HostDevice device, BackendChoice choice) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> openNode(device), Fd::close);
      return rollback.done(bind(device, file, choice, false));
    }
  }

  /** Binds a device whose open file somebody has passed. */
  CdevDevice passed(int fd, BackendChoice choice) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> OpenNode.duplicate(host.kernel(), fd), Fd::close);
      HostDevice device = host.sysfs().deviceOf(OpenNode.number(host.kernel(), file));
      Admission.requireIommu(host, device);
      return rollback.done(bind(device, file, choice, true));
    }
  }

  /** Opens the node of a device, and proves that it is the device's. */
  private Fd openNode(HostDevice device) throws VfioException {
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
                      () -> isNodeOf(node, device),
                      NoSuchDeviceException::new,
                      "sysfs names this node for " + device.name() + ", but it is not there"),
              Fd::close);
      OpenNode.require(host.kernel(), file, node);
      if (!isNodeOf(node, device)) { // from here on it cannot change: the open file holds it
        throw new NoSuchDeviceException(
            "open",
            device.name(),
            null,
            "it has gone since it was looked up, and " + node + " with it");
      }
      return rollback.done(file);
    }
  }

  private boolean isNodeOf(DeviceNode node, HostDevice device) throws VfioException {
    try {
      return host.sysfs().deviceOf(node.number()).name().equals(device.name());
    } catch (NoSuchDeviceException gone) {
      return false;
    }
  }

  private CdevDevice bind(HostDevice device, Fd file, BackendChoice choice, boolean passed)
      throws VfioException {
    int id = bindIoctl(device, file);
    DeviceFile channel = new DeviceFile(host.kernel(), file, device.name());
    CdevDevice bound = new CdevDevice(iommufd, channel, choice, id, passed);
    iommufd.own(bound);
    return bound;
  }

  private int bindIoctl(HostDevice device, Fd file) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, vfio_device_bind_iommufd.LAYOUT);
      if (device.vfToken().isPresent()) {
        MemorySegment token = bytes(arena, device.vfToken().get());
        vfio_device_bind_iommufd.flags(request, vfio_h.VFIO_DEVICE_BIND_FLAG_TOKEN);
        vfio_device_bind_iommufd.token_uuid_ptr(request, token.address());
      }
      int answer =
          iommufd
              .file()
              .call(
                  fd -> {
                    vfio_device_bind_iommufd.iommufd(request, fd);
                    return file.ioctl(Ioctl.VFIO_DEVICE_BIND_IOMMUFD, request);
                  });
      if (answer < 0) {
        throw Refused.of(host, device, Ioctl.VFIO_DEVICE_BIND_IOMMUFD, answer);
      }
      return vfio_device_bind_iommufd.out_devid(request);
    }
  }

  /** Returns a UUID as the kernel has it: the digits of its text, in order. */
  private static MemorySegment bytes(Arena arena, UUID uuid) {
    MemorySegment bytes = arena.allocate(2 * Long.BYTES, Long.BYTES);
    bytes.set(BIG_ENDIAN_LONG, 0, uuid.getMostSignificantBits());
    bytes.set(BIG_ENDIAN_LONG, Long.BYTES, uuid.getLeastSignificantBits());
    return bytes;
  }
}
