package io.github.vfio4j;

import java.util.List;

/** Something that the kernel says of a region beyond its size and flags. */
public sealed interface RegionCapability
    permits RegionCapability.Type,
        RegionCapability.SparseMmap,
        RegionCapability.MsixMappable,
        RawCapability {

  /**
   * What a device-specific region is for.
   *
   * @param type the kind of region, or a PCI vendor with the top bit set
   * @param subtype the region within that kind
   */
  record Type(int type, int subtype) implements RegionCapability {}

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
}
