package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import java.util.List;
import java.util.Optional;

/**
 * What the kernel says of a region: {@code VFIO_DEVICE_GET_REGION_INFO}.
 *
 * @param index the kernel's number of the region; {@link PciFunction.RegionKind#of} tells what it
 *     is of a PCI device
 * @param flags the {@code VFIO_REGION_INFO_FLAG_} bits
 * @param size bytes; 0 for a region that the device does not have
 * @param offset where the region starts in the device's file
 * @param capabilities in the kernel's order; unknown ones are {@link RawCapability}
 */
public record RegionInfo(
    int index, int flags, long size, long offset, List<RegionCapability> capabilities) {

  /** Keeps its own copy of the list. */
  public RegionInfo {
    capabilities = List.copyOf(capabilities);
  }

  /**
   * Returns whether the region can be read.
   *
   * @return whether reads can work
   */
  public boolean readable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_READ) != 0;
  }

  /**
   * Returns whether the region can be written.
   *
   * @return whether writes can work
   */
  public boolean writable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_WRITE) != 0;
  }

  /**
   * Returns whether the region, or the areas of its {@link RegionCapability.SparseMmap}, can be
   * mapped.
   *
   * @return whether {@link Region#map()} can work
   */
  public boolean mappable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_MMAP) != 0;
  }

  /**
   * Returns which parts of the region can be mapped.
   *
   * @return the areas of its {@link RegionCapability.SparseMmap}, or else the whole region; none
   *     where it is not {@link #mappable}
   */
  public List<RegionCapability.SparseMmap.Area> mappableAreas() {
    if (!mappable() || size == 0) {
      return List.of();
    }
    return capability(RegionCapability.SparseMmap.class)
        .map(sparse -> sparse.areas().stream().filter(area -> area.size() > 0).toList())
        .orElseGet(() -> List.of(new RegionCapability.SparseMmap.Area(0, size)));
  }

  /**
   * Returns what the region is for, which those have that a driver of the kernel has added to the
   * ones of its bus: their indices differ from device to device.
   *
   * @return the type, or empty for a region that its index tells
   */
  public Optional<RegionCapability.Type> type() {
    return capability(RegionCapability.Type.class);
  }

  private <T extends RegionCapability> Optional<T> capability(Class<T> kind) {
    return capabilities.stream().filter(kind::isInstance).map(kind::cast).findFirst();
  }
}
