package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
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

  /** Keeps its own copy of the list. */
  public DeviceInfo {
    capabilities = List.copyOf(capabilities);
  }

  /**
   * Returns whether the device can be reset by itself.
   *
   * @return whether {@link VfioDevice#reset} can work
   */
  public boolean resettable() {
    return (flags & vfio_h.VFIO_DEVICE_FLAGS_RESET) != 0;
  }

  /**
   * Returns whether the device is a PCI device, or looks like one.
   *
   * @return whether its regions and interrupts have the indices of VFIO's PCI driver
   */
  public boolean pci() {
    return (flags & vfio_h.VFIO_DEVICE_FLAGS_PCI) != 0;
  }
}
