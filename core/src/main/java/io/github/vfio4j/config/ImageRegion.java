package io.github.vfio4j.config;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.bindings.vfio_h;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** An image in the place of a device's region, which can only be read. */
final class ImageRegion implements Region {
  private final String name;
  private final byte[] bytes;

  ImageRegion(String name, byte[] bytes) {
    this.name = name;
    this.bytes = bytes;
  }

  @Override
  public RegionInfo info() {
    return new RegionInfo(
        vfio_h.VFIO_PCI_CONFIG_REGION_INDEX,
        vfio_h.VFIO_REGION_INFO_FLAG_READ,
        bytes.length,
        0,
        List.of());
  }

  @Override
  public void read(long offset, MemorySegment target) {
    target.copyFrom(MemorySegment.ofArray(bytes).asSlice(offset, target.byteSize()));
  }

  @Override
  public void write(long offset, MemorySegment source) {
    throw new UnsupportedOperationException(name + " cannot be written");
  }

  @Override
  public MappedRegion map(long offset, long size) {
    throw new UnsupportedOperationException(name + " cannot be mapped");
  }

  @Override
  public String toString() {
    return name;
  }
}
