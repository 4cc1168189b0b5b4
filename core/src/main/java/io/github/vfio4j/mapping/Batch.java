package io.github.vfio4j.mapping;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.IoAddressSpace.MemoryRegion;
import io.github.vfio4j.linux.Alignment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Several regions that are mapped by one call, no two of which overlap. */
final class Batch {
  private final TreeMap<Long, MemoryRegion> regions = new TreeMap<>(Long::compareUnsigned);

  /**
   * Takes a copy.
   *
   * @throws IllegalArgumentException if two overlap, or one is empty or wraps around
   */
  Batch(String space, long granule, List<MemoryRegion> wanted) {
    for (MemoryRegion region : List.copyOf(wanted)) {
      long size = region.memory().byteSize();
      if (Alignment.isEmptyOrWraps(region.iova(), size)) {
        throw BadMapping.of(space, granule, region.iova(), size);
      }
      MemoryRegion other = overlapping(region.iova(), size);
      if (other != null) {
        throw new IllegalArgumentException(
            "Cannot map into %s: %s and %s overlap".formatted(space, other, region));
      }
      regions.put(region.iova(), region);
    }
  }

  /** Returns a region that has an address in common with a range, or null. */
  @Nullable MemoryRegion overlapping(long iova, long size) {
    Map.Entry<Long, MemoryRegion> below = regions.floorEntry(iova + (size - 1));
    if (below == null) {
      return null;
    }
    MemoryRegion region = below.getValue();
    long last = region.iova() + (region.memory().byteSize() - 1);
    return Long.compareUnsigned(last, iova) >= 0 ? region : null;
  }

  /** Returns them, ascending. */
  List<MemoryRegion> regions() {
    return new ArrayList<>(regions.values());
  }

  /** Leaves out those that are mapped already, of just this memory and access. */
  void removeMapped(MappingTable mappings) {
    regions.values().removeIf(region -> isMapped(region, mappings));
  }

  private static boolean isMapped(MemoryRegion region, MappingTable mappings) {
    int slot = mappings.find(region.iova(), region.memory().byteSize());
    if (slot < 0) {
      return false;
    }
    DmaAccess access = mappings.accessOf(slot);
    return access == region.access()
        && mappings.memoryOf(slot).address() == region.memory().address()
        && mappings.memoryOf(slot).scope().equals(region.memory().scope());
  }
}
