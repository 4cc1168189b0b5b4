package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.kvm_create_device;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_ioeventfd;
import io.github.vfio4j.bindings.kvm_irqfd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A virtual machine of KVM: it knows eventfds by their files, whatever their numbers are. */
final class FakeVm extends FakeFile {
  /** A write to an address; without a match the data counts for nothing. */
  private record Write(boolean port, long address, int length, boolean match, long data) {
    boolean collides(Write other) {
      return port == other.port
          && address == other.address
          && (length == 0 || other.length == 0 || length == other.length)
          && (!match || !other.match || data == other.data);
    }
  }

  private record Route(FakeFile event, int gsi) {}

  private final OpenFiles files;
  private final FakeSlots slots;
  private final Map<Route, @Nullable FakeFile> routes = new LinkedHashMap<>();
  private final Map<Write, FakeFile> writes = new LinkedHashMap<>();
  private final List<FakeFile> known = new ArrayList<>();
  private boolean hasDevices;

  FakeVm(OpenFiles files, FakeSlots slots) {
    super("KVM_");
    this.files = files;
    this.slots = slots;
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    return switch (operation) {
      case KVM_SET_USER_MEMORY_REGION -> slots.set(argument);
      case KVM_GET_DIRTY_LOG -> slots.report(argument);
      case KVM_IRQFD -> route(argument);
      case KVM_IOEVENTFD -> ring(argument);
      case KVM_CREATE_DEVICE -> makeDevices(argument);
      default -> refused(Errno.ENOTTY);
    };
  }

  private int route(MemorySegment request) {
    int flags = kvm_irqfd.flags(request);
    int event = kvm_irqfd.fd(request);
    boolean resampled = (flags & kvm_h.KVM_IRQFD_FLAG_RESAMPLE) != 0;
    int resample = kvm_irqfd.resamplefd(request);
    if (!files.has(event) || (resampled && !files.has(resample))) {
      return refused(Errno.EBADF);
    }
    Route route = new Route(files.get(event), kvm_irqfd.gsi(request));
    if ((flags & kvm_h.KVM_IRQFD_FLAG_DEASSIGN) != 0) {
      routes.remove(route);
      return 0;
    }
    if (routes.keySet().stream().anyMatch(each -> each.event.equals(route.event))) {
      return refused(Errno.EBUSY);
    }
    routes.put(route, resampled ? files.get(resample) : null);
    return 0;
  }

  private int ring(MemorySegment request) {
    int flags = kvm_ioeventfd.flags(request);
    int length = kvm_ioeventfd.len(request);
    boolean match = (flags & kvm_h.KVM_IOEVENTFD_FLAG_DATAMATCH) != 0;
    int fd = kvm_ioeventfd.fd(request);
    if (length > 8 || Integer.bitCount(length) > 1 || (length == 0 && match)) {
      return refused(Errno.EINVAL);
    }
    if (!files.has(fd)) {
      return refused(Errno.EBADF);
    }
    Write write =
        new Write(
            (flags & kvm_h.KVM_IOEVENTFD_FLAG_PIO) != 0,
            kvm_ioeventfd.addr(request),
            length,
            match,
            kvm_ioeventfd.datamatch(request));
    if ((flags & kvm_h.KVM_IOEVENTFD_FLAG_DEASSIGN) != 0) {
      return writes.remove(write, files.get(fd)) ? 0 : refused(Errno.ENOENT);
    }
    if (writes.keySet().stream().anyMatch(write::collides)) {
      return refused(Errno.EEXIST);
    }
    writes.put(write, files.get(fd));
    return 0;
  }

  private int makeDevices(MemorySegment request) {
    if (kvm_create_device.type(request) != kvm_h.KVM_DEV_TYPE_VFIO) {
      return refused(Errno.ENODEV);
    }
    if (hasDevices) {
      return refused(Errno.EBUSY);
    }
    int fd = files.open(new FakeVmDevices(this, files), "kvm-vfio", null);
    kvm_create_device.fd(request, fd);
    hasDevices = fd >= 0;
    return Math.min(fd, 0);
  }

  int add(FakeFile file) {
    if (known.contains(file)) {
      return refused(Errno.EEXIST);
    }
    known.add(file);
    return 0;
  }

  int delete(FakeFile file) {
    return known.remove(file) ? 0 : refused(Errno.ENOENT);
  }

  /** Forgets all devices, as the kernel does when the file is closed that they are kept in. */
  void endDevices() {
    known.clear();
    hasDevices = false;
  }

  @Override
  List<String> left() {
    List<String> left = new ArrayList<>();
    routes.forEach(
        (route, resample) ->
            left.add("irqfd to " + route.gsi + (resample == null ? "" : ", resampled")));
    writes.keySet().forEach(write -> left.add(write.toString()));
    known.forEach(file -> left.add("a " + file.getClass().getSimpleName() + " in a machine"));
    return left;
  }
}
