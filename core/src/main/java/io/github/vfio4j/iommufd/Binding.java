package io.github.vfio4j.iommufd;

import io.github.vfio4j.Backend;
import io.github.vfio4j.BackendChoice;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.vfio_device_bind_iommufd;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.device.DeviceFile;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Host;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.opening.Refused;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.sysfs.PciDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;

/** Binds devices to an iommufd. */
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
      Fd file = rollback.make(() -> UnboundDevice.openNode(host, device), Fd::close);
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

  private CdevDevice bind(HostDevice device, Fd file, BackendChoice choice, boolean passed)
      throws VfioException {
    int id = bindIoctl(device, file);
    return own(device, file, choice, id, new Dependents(), passed);
  }

  /** Takes over a device that somebody else has bound to this iommufd, and passed its file. */
  CdevDevice bound(int fd, int id) throws VfioException {
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> OpenNode.duplicate(host.kernel(), fd), Fd::close);
      HostDevice device = host.sysfs().deviceOf(OpenNode.number(host.kernel(), file));
      requireBound(device, file);
      requireObject(device, id);
      BackendChoice choice =
          new BackendChoice(Backend.IOMMUFD, "its open file was passed, and is bound already");
      return rollback.done(own(device, file, choice, id, new Dependents(), true));
    }
  }

  /** Takes over a device that another process has bound, and that nobody but this one will have. */
  CdevDevice takenOver(Fd file, int id) throws VfioException {
    HostDevice device = host.sysfs().deviceOf(OpenNode.number(host.kernel(), file));
    requireBound(device, file);
    requireObject(device, id);
    BackendChoice choice =
        new BackendChoice(Backend.IOMMUFD, "it was taken over from another process");
    return own(device, file, choice, id, new Dependents(), false);
  }

  /** Refuses a file that is not bound: of such a one the kernel answers no question. */
  private static void requireBound(HostDevice device, Fd file) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, vfio_device_info.LAYOUT);
      int answer = file.ioctl(Ioctl.VFIO_DEVICE_GET_INFO, request);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.VFIO_DEVICE_GET_INFO,
            device.name(),
            answer,
            Answer.is(answer, Errno.EINVAL) ? "the file is bound to no iommufd yet" : "");
      }
    }
  }

  /** Refuses a number that is not that of a device; a mediated device has no IOMMU to ask. */
  private void requireObject(HostDevice device, int id) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, iommu_hw_info.LAYOUT, iommu_hw_info.SIZEOF);
      iommu_hw_info.dev_id(request, id);
      int answer = iommufd.ioctl(Ioctl.IOMMU_GET_HW_INFO, request);
      if (answer < 0 && (device instanceof PciDevice || !Answer.is(answer, Errno.ENOENT))) {
        throw Answer.failure(
            Ioctl.IOMMU_GET_HW_INFO,
            device.name(),
            answer,
            Answer.is(answer, Errno.ENOENT)
                ? "this iommufd has no device of the number " + Integer.toUnsignedString(id)
                : "");
      }
    }
  }

  /**
   * Takes over a bound device and its file.
   *
   * @param registrations what has the file, and ends before it
   * @param passed whether somebody else may hold the file open, too
   */
  CdevDevice own(
      HostDevice device,
      Fd file,
      BackendChoice choice,
      int id,
      Dependents registrations,
      boolean passed)
      throws VfioException {
    DeviceFile channel = new DeviceFile(host.kernel(), file, device.name());
    CdevDevice bound = new CdevDevice(iommufd, channel, choice, id, registrations, passed);
    iommufd.own(bound);
    return bound;
  }

  /** Has the kernel bind a device, and returns its number. */
  int bindIoctl(HostDevice device, Fd file) throws VfioException {
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
