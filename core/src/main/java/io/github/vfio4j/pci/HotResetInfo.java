package io.github.vfio4j.pci;

import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_pci_dependent_device;
import io.github.vfio4j.bindings.vfio_pci_hot_reset_info;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel's reply to {@code VFIO_DEVICE_GET_PCI_HOT_RESET_INFO}, checked.
 *
 * @param byIommufd whether devices are told apart by their iommufd, and not by their groups
 * @param entries the devices
 */
record HotResetInfo(boolean byIommufd, List<Entry> entries) {
  private static final Ioctl OPERATION = Ioctl.VFIO_DEVICE_GET_PCI_HOT_RESET_INFO;
  private static final int EXPECTED = 16;
  private static final int MOST = 1 << 16;
  private static final int ATTEMPTS = 8;

  /**
   * One device.
   *
   * @param address where it sits
   * @param id its number in the iommufd, or one of the two that stand for having none; or the
   *     number of its group
   */
  record Entry(PciAddress address, int id) {}

  /** Asks, again with more room where there are more devices, or have just come to be. */
  static HotResetInfo read(OpenDevice device) throws VfioException {
    int room = EXPECTED;
    for (int attempt = 1; ; attempt++) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment reply =
            arena.allocate(
                vfio_pci_hot_reset_info.SIZEOF + room * vfio_pci_dependent_device.SIZEOF,
                Integer.BYTES);
        vfio_pci_hot_reset_info.argsz(reply, (int) reply.byteSize());
        int answer = device.channel().ask(OPERATION, reply);
        int count = vfio_pci_hot_reset_info.count(reply);
        if (answer >= 0) {
          return parse(device, reply, count, room);
        }
        boolean more = Answer.is(answer, Errno.ENOSPC) || Answer.is(answer, Errno.EAGAIN);
        if (!more || attempt == ATTEMPTS) {
          throw refused(device, answer);
        }
        if (Answer.is(answer, Errno.ENOSPC)) {
          if (count <= room || count > MOST) {
            throw impossible(
                device, "no room for " + count + " devices, where there is for " + room);
          }
          room = count;
        }
      }
    }
  }

  private static HotResetInfo parse(OpenDevice device, MemorySegment reply, int count, int room)
      throws VfioException {
    if (count < 1 || count > room) {
      throw impossible(device, count + " devices, where there is room for " + room);
    }
    List<Entry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      MemorySegment entry = vfio_pci_hot_reset_info.devices(reply, i);
      int function = Byte.toUnsignedInt(vfio_pci_dependent_device.devfn(entry));
      entries.add(
          new Entry(
              new PciAddress(
                  Short.toUnsignedInt(vfio_pci_dependent_device.segment(entry)),
                  Byte.toUnsignedInt(vfio_pci_dependent_device.bus(entry)),
                  function >> 3,
                  function & 7),
              vfio_pci_dependent_device.devid(entry)));
    }
    int flags = vfio_pci_hot_reset_info.flags(reply);
    return new HotResetInfo((flags & vfio_h.VFIO_PCI_HOT_RESET_FLAG_DEV_ID) != 0, entries);
  }

  private static VfioException impossible(OpenDevice device, String what) {
    return Answer.impossible(OPERATION, device.name(), what);
  }

  private static VfioException refused(OpenDevice device, int answer) {
    if (Answer.is(answer, Errno.ENODEV)) {
      return new UnsupportedByKernelException(
          OPERATION.name(),
          device.name(),
          Errno.ENODEV,
          "neither its slot nor its bus can be reset, as of devices that are not behind a port or"
              + " bridge, or this device has gone");
    }
    if (Answer.is(answer, Errno.EPERM)) {
      return new NotPermittedException(
          OPERATION.name(),
          device.name(),
          Errno.EPERM,
          "a device of its slot or bus is in no IOMMU group, so nobody can prove to have it");
    }
    return Answer.failure(OPERATION, device.name(), answer);
  }
}
