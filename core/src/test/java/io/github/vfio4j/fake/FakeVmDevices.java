package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.kvm_device_attr;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;

/** The devices of a virtual machine of KVM. */
final class FakeVmDevices extends FakeFile {
  private final FakeVm machine;
  private final OpenFiles files;

  FakeVmDevices(FakeVm machine, OpenFiles files) {
    super("KVM_SET_DEVICE_ATTR");
    this.machine = machine;
    this.files = files;
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    if (kvm_device_attr.group(argument) != kvm_h.KVM_DEV_VFIO_FILE) {
      return refused(Errno.ENXIO);
    }
    int fd = at(kvm_device_attr.addr(argument)).get(JAVA_INT, 0);
    if (!files.has(fd)) {
      return refused(Errno.EBADF);
    }
    FakeFile file = files.get(fd);
    if (!(file instanceof FakeDevice || file instanceof FakeGroup)) {
      return refused(Errno.EINVAL);
    }
    return kvm_device_attr.attr(argument) == kvm_h.KVM_DEV_VFIO_FILE_ADD
        ? machine.add(file)
        : machine.delete(file);
  }

  @SuppressWarnings("restricted") // where the library has put the number
  private static MemorySegment at(long address) {
    return MemorySegment.ofAddress(address).reinterpret(Integer.BYTES);
  }

  @Override
  void closed() {
    machine.endDevices();
  }
}
