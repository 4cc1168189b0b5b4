package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import java.util.List;
import java.util.OptionalInt;

/** Something that the kernel says of a region beyond its size and flags. */
public sealed interface RegionCapability
    permits RegionCapability.Type,
        RegionCapability.SparseMmap,
        RegionCapability.MsixMappable,
        RegionCapability.NvLink2Target,
        RegionCapability.NvLink2Speed,
        RawCapability {

  /**
   * What a device-specific region is for.
   *
   * @param type the kind of region, or a PCI vendor with the top bit set
   * @param subtype the region within that kind
   */
  record Type(int type, int subtype) implements RegionCapability {
    /**
     * Returns whose region it is, where its subtypes are those of a PCI vendor.
     *
     * @return the vendor's ID, or empty for a type that devices of several vendors have
     */
    public OptionalInt pciVendor() {
      return (type & vfio_h.VFIO_REGION_TYPE_PCI_VENDOR_TYPE) != 0
          ? OptionalInt.of(type & vfio_h.VFIO_REGION_TYPE_PCI_VENDOR_MASK)
          : OptionalInt.empty();
    }
  }

  /**
   * Only these areas of the region can be mapped.
   *
   * @param areas in the kernel's order
   */
  record SparseMmap(List<Area> areas) implements RegionCapability {
    /**
     * A part of a region.
     *
     * @param offset bytes from the start of the region
     * @param size bytes
     */
    public record Area(long offset, long size) {}

    /** Keeps its own copy of the list. */
    public SparseMmap {
      areas = List.copyOf(areas);
    }
  }

  /** The region holds the MSI-X table and can be mapped all the same. */
  record MsixMappable() implements RegionCapability {}

  /**
   * Where an NVLink2 device sees the memory of the region; Linux 5.0 to 5.12.
   *
   * @param address the base of its addresses there
   */
  record NvLink2Target(long address) implements RegionCapability {}

  /**
   * How fast the link is that the region belongs to; Linux 5.0 to 5.12.
   *
   * @param linkSpeed as in the device tree of the host
   */
  record NvLink2Speed(int linkSpeed) implements RegionCapability {}
}
