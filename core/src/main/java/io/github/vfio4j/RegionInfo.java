package io.github.vfio4j;

import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.bindings.vfio_region_info_cap_sparse_mmap;
import io.github.vfio4j.bindings.vfio_region_info_cap_type;
import io.github.vfio4j.bindings.vfio_region_sparse_mmap_area;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the kernel says of a region: {@code VFIO_DEVICE_GET_REGION_INFO}.
 *
 * @param index the kernel's number of the region
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
   * Tells whether the region can be read.
   *
   * @return whether reads can work
   */
  public boolean readable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_READ) != 0;
  }

  /**
   * Tells whether the region can be written.
   *
   * @return whether writes can work
   */
  public boolean writable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_WRITE) != 0;
  }

  /**
   * Tells whether the region, or the areas of its {@link SparseMmap}, can be mapped.
   *
   * @return whether {@link Region#map()} can work
   */
  public boolean mappable() {
    return (flags & vfio_h.VFIO_REGION_INFO_FLAG_MMAP) != 0;
  }

  static RegionInfo read(Fd fd, int index) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply =
          InfoReply.ask(
              fd,
              Ioctl.VFIO_DEVICE_GET_REGION_INFO,
              arena,
              vfio_region_info.SIZEOF,
              question -> vfio_region_info.index(question, index));
      int flags = vfio_region_info.flags(reply);
      long size = vfio_region_info.size(reply);
      long offset = vfio_region_info.offset(reply);
      if (size < 0 || offset < 0 || size > Long.MAX_VALUE - offset) {
        throw impossible(fd, index, "0x%x bytes at 0x%x".formatted(size, offset));
      }
      List<RegionCapability> capabilities = new ArrayList<>();
      if ((flags & vfio_h.VFIO_REGION_INFO_FLAG_CAPS) != 0) {
        long first = Integer.toUnsignedLong(vfio_region_info.cap_offset(reply));
        for (CapabilityChain.Link link :
            CapabilityChain.walk(reply, first, vfio_region_info.SIZEOF, fd.object())) {
          capabilities.add(capability(fd, index, size, link));
        }
      }
      return new RegionInfo(index, flags, size, offset, capabilities);
    } catch (VfioException e) {
      if (e.errno().equals(Optional.of(Errno.EINVAL))) {
        // the PCI driver answers so for the VGA region of a device that has none
        return new RegionInfo(index, 0, 0, 0, List.of());
      }
      throw e;
    }
  }

  private static RegionCapability capability(
      Fd fd, int index, long regionSize, CapabilityChain.Link link) throws VfioException {
    return switch (link.id()) {
      case vfio_h.VFIO_REGION_INFO_CAP_SPARSE_MMAP -> sparse(fd, index, regionSize, link.bytes());
      case vfio_h.VFIO_REGION_INFO_CAP_TYPE -> {
        require(fd, index, link.bytes(), vfio_region_info_cap_type.SIZEOF);
        yield new RegionType(
            vfio_region_info_cap_type.type(link.bytes()),
            vfio_region_info_cap_type.subtype(link.bytes()));
      }
      case vfio_h.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE -> new MsixMappable();
      default -> RawCapability.of(link);
    };
  }

  private static SparseMmap sparse(Fd fd, int index, long regionSize, MemorySegment bytes)
      throws VfioException {
    long start = vfio_region_info_cap_sparse_mmap.SIZEOF;
    require(fd, index, bytes, start);
    long count = Integer.toUnsignedLong(vfio_region_info_cap_sparse_mmap.nr_areas(bytes));
    if (count > (bytes.byteSize() - start) / vfio_region_sparse_mmap_area.SIZEOF) {
      throw impossible(fd, index, count + " areas in " + bytes.byteSize() + " bytes");
    }
    List<SparseMmap.Area> areas = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      MemorySegment area =
          bytes.asSlice(
              start + i * vfio_region_sparse_mmap_area.SIZEOF, vfio_region_sparse_mmap_area.SIZEOF);
      long offset = vfio_region_sparse_mmap_area.offset(area);
      long size = vfio_region_sparse_mmap_area.size(area);
      if (offset < 0 || size < 0 || offset > regionSize || size > regionSize - offset) {
        throw impossible(fd, index, "an area of 0x%x bytes at 0x%x".formatted(size, offset));
      }
      areas.add(new SparseMmap.Area(offset, size));
    }
    return new SparseMmap(areas);
  }

  private static void require(Fd fd, int index, MemorySegment bytes, long size)
      throws VfioException {
    if (bytes.byteSize() < size) {
      throw impossible(fd, index, "a capability of " + bytes.byteSize() + " bytes");
    }
  }

  private static VfioException impossible(Fd fd, int index, String what) {
    return new VfioException(
        Ioctl.VFIO_DEVICE_GET_REGION_INFO.name(),
        "region " + index + " of " + fd.object(),
        null,
        "the kernel's reply has " + what);
  }
}
