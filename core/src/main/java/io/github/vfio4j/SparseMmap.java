package io.github.vfio4j;

import java.util.List;

/**
 * Only these areas of the region can be mapped.
 *
 * @param areas in the kernel's order
 */
public record SparseMmap(List<Area> areas) implements RegionCapability {
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
