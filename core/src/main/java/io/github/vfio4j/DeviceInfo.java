package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_device_info;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel says of a device as a whole: {@code VFIO_DEVICE_GET_INFO}.
 *
 * @param flags the {@code VFIO_DEVICE_FLAGS_} bits
 * @param regionCount one more than the highest region index
 * @param irqCount one more than the highest interrupt index
 * @param capabilities the capabilities behind the structure, uninterpreted
 */
public record DeviceInfo(
    int flags, int regionCount, int irqCount, List<RawCapability> capabilities) {

  private static final int MOST = 1 << 16;

  /** Keeps its own copy of the list. */
  public DeviceInfo {
    capabilities = List.copyOf(capabilities);
  }

  /**
   * Tells whether the device can be reset by itself.
   *
   * @return whether {@link VfioDevice#reset} can work
   */
  public boolean resettable() {
    return (flags & vfio_h.VFIO_DEVICE_FLAGS_RESET) != 0;
  }

  /**
   * Tells whether the device is a PCI device, or looks like one.
   *
   * @return whether its regions and interrupts have the indices of VFIO's PCI driver
   */
  public boolean pci() {
    return (flags & vfio_h.VFIO_DEVICE_FLAGS_PCI) != 0;
  }

  static DeviceInfo read(Fd fd) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply =
          InfoReply.ask(
              fd, Ioctl.VFIO_DEVICE_GET_INFO, arena, vfio_device_info.SIZEOF, question -> {});
      int flags = vfio_device_info.flags(reply);
      int regions = vfio_device_info.num_regions(reply);
      int irqs = vfio_device_info.num_irqs(reply);
      if (regions < 0 || regions > MOST || irqs < 0 || irqs > MOST) {
        throw new VfioException(
            Ioctl.VFIO_DEVICE_GET_INFO.name(),
            fd.object(),
            null,
            "the kernel's reply has "
                + Integer.toUnsignedString(regions)
                + " regions and "
                + Integer.toUnsignedString(irqs)
                + " interrupt indices");
      }
      List<RawCapability> capabilities = new ArrayList<>();
      if ((flags & vfio_h.VFIO_DEVICE_FLAGS_CAPS) != 0) {
        long first = Integer.toUnsignedLong(vfio_device_info.cap_offset(reply));
        for (CapabilityChain.Link link :
            CapabilityChain.walk(reply, first, vfio_device_info.SIZEOF, fd.object())) {
          capabilities.add(RawCapability.of(link));
        }
      }
      return new DeviceInfo(flags, regions, irqs, capabilities);
    }
  }
}
