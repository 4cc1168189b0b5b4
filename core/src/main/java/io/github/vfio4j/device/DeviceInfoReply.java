package io.github.vfio4j.device;

import io.github.vfio4j.DeviceInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_device_info_cap_pci_atomic_comp;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Reads what a backend says of a device as a whole. */
final class DeviceInfoReply {
  private static final int MOST = 1 << 16;

  private DeviceInfoReply() {}

  static DeviceInfo read(DeviceChannel channel) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply =
          InfoReply.ask(
              Ioctl.VFIO_DEVICE_GET_INFO,
              channel.name(),
              channel::info,
              arena,
              vfio_device_info.SIZEOF,
              question -> {});
      int flags = vfio_device_info.flags(reply);
      int regions = vfio_device_info.num_regions(reply);
      int irqs = vfio_device_info.num_irqs(reply);
      if (regions < 0 || regions > MOST || irqs < 0 || irqs > MOST) {
        throw Answer.impossible(
            Ioctl.VFIO_DEVICE_GET_INFO,
            channel.name(),
            Integer.toUnsignedString(regions)
                + " regions and "
                + Integer.toUnsignedString(irqs)
                + " interrupt indices");
      }
      List<DeviceInfo.Capability> capabilities = new ArrayList<>();
      if ((flags & vfio_h.VFIO_DEVICE_FLAGS_CAPS) != 0) {
        long first = Integer.toUnsignedLong(vfio_device_info.cap_offset(reply));
        for (CapabilityChain.Link link :
            CapabilityChain.walk(reply, first, vfio_device_info.SIZEOF, channel.name())) {
          capabilities.add(capability(channel.name(), link));
        }
      }
      return new DeviceInfo(flags, regions, irqs, capabilities);
    }
  }

  private static DeviceInfo.Capability capability(String object, CapabilityChain.Link link)
      throws VfioException {
    if (link.id() != vfio_h.VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP) {
      return link.raw();
    }
    link.require(Ioctl.VFIO_DEVICE_GET_INFO, object, vfio_device_info_cap_pci_atomic_comp.SIZEOF);
    return new DeviceInfo.PciAtomicCompletion(
        vfio_device_info_cap_pci_atomic_comp.flags(link.bytes()));
  }
}
