package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import java.util.List;
import java.util.Optional;

/**
 * What the kernel says of a device as a whole: {@code VFIO_DEVICE_GET_INFO}.
 *
 * @param flags the {@code VFIO_DEVICE_FLAGS_} bits
 * @param regionCount one more than the highest region index
 * @param irqCount one more than the highest interrupt index
 * @param capabilities in the kernel's order; unknown ones, and those of S/390 alone, are {@link
 *     RawCapability}
 */
public record DeviceInfo(int flags, int regionCount, int irqCount, List<Capability> capabilities) {

  /** Something that the kernel says of a device beyond its flags. */
  public sealed interface Capability permits PciAtomicCompletion, RawCapability {}

  /**
   * Which atomic operations of a PCI device the way to memory completes; {@code
   * VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP}.
   *
   * @param flags the {@code VFIO_PCI_ATOMIC_COMP} bits
   */
  public record PciAtomicCompletion(int flags) implements Capability {
    /**
     * Returns whether those of a width are completed.
     *
     * @param bits 32 or 64, or 128 for comparing and swapping alone
     * @return whether they are; false for every other width
     */
    public boolean completes(int bits) {
      int flag =
          switch (bits) {
            case 32 -> vfio_h.VFIO_PCI_ATOMIC_COMP32;
            case 64 -> vfio_h.VFIO_PCI_ATOMIC_COMP64;
            case 128 -> vfio_h.VFIO_PCI_ATOMIC_COMP128;
            default -> 0;
          };
      return (flags & flag) != 0;
    }
  }

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
   * Returns which atomic operations of a PCI device the way to memory completes.
   *
   * @return the capability, or empty where none are completed, or before Linux 6.5
   */
  public Optional<PciAtomicCompletion> pciAtomicCompletion() {
    return capabilities.stream()
        .filter(PciAtomicCompletion.class::isInstance)
        .map(PciAtomicCompletion.class::cast)
        .findFirst();
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
