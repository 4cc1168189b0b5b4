package io.github.vfio4j.device;

import io.github.vfio4j.Errno;
import io.github.vfio4j.RegionCapability;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import io.github.vfio4j.bindings.vfio_region_info_cap_nvlink2_lnkspd;
import io.github.vfio4j.bindings.vfio_region_info_cap_nvlink2_ssatgt;
import io.github.vfio4j.bindings.vfio_region_info_cap_sparse_mmap;
import io.github.vfio4j.bindings.vfio_region_info_cap_type;
import io.github.vfio4j.bindings.vfio_region_sparse_mmap_area;
import io.github.vfio4j.channel.DeviceChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what a backend says of a region. */
final class RegionInfoReply {
  private static final Ioctl OPERATION = Ioctl.VFIO_DEVICE_GET_REGION_INFO;

  private RegionInfoReply() {}

  static RegionInfo read(DeviceChannel channel, int index) throws VfioException {
    String object = "region " + index + " of " + channel.name();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply =
          InfoReply.ask(
              OPERATION,
              channel.name(),
              channel::regionInfo,
              arena,
              vfio_region_info.SIZEOF,
              question -> vfio_region_info.index(question, index));
      int flags = vfio_region_info.flags(reply);
      long size = vfio_region_info.size(reply);
      long offset = vfio_region_info.offset(reply);
      if (size < 0 || offset < 0 || size > Long.MAX_VALUE - offset) {
        throw impossible(object, "0x%x bytes at 0x%x".formatted(size, offset));
      }
      List<RegionCapability> capabilities = new ArrayList<>();
      if ((flags & vfio_h.VFIO_REGION_INFO_FLAG_CAPS) != 0) {
        long first = Integer.toUnsignedLong(vfio_region_info.cap_offset(reply));
        for (CapabilityChain.Link link :
            CapabilityChain.walk(reply, first, vfio_region_info.SIZEOF, channel.name())) {
          capabilities.add(capability(object, size, link));
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
      String object, long regionSize, CapabilityChain.Link link) throws VfioException {
    return switch (link.id()) {
      case vfio_h.VFIO_REGION_INFO_CAP_SPARSE_MMAP -> sparse(object, regionSize, link);
      case vfio_h.VFIO_REGION_INFO_CAP_TYPE -> {
        link.require(OPERATION, object, vfio_region_info_cap_type.SIZEOF);
        yield new RegionCapability.Type(
            vfio_region_info_cap_type.type(link.bytes()),
            vfio_region_info_cap_type.subtype(link.bytes()));
      }
      case vfio_h.VFIO_REGION_INFO_CAP_MSIX_MAPPABLE -> new RegionCapability.MsixMappable();
      case vfio_h.VFIO_REGION_INFO_CAP_NVLINK2_SSATGT -> {
        link.require(OPERATION, object, vfio_region_info_cap_nvlink2_ssatgt.SIZEOF);
        yield new RegionCapability.NvLink2Target(
            vfio_region_info_cap_nvlink2_ssatgt.tgt(link.bytes()));
      }
      case vfio_h.VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD -> {
        link.require(OPERATION, object, vfio_region_info_cap_nvlink2_lnkspd.SIZEOF);
        yield new RegionCapability.NvLink2Speed(
            vfio_region_info_cap_nvlink2_lnkspd.link_speed(link.bytes()));
      }
      default -> link.raw();
    };
  }

  private static RegionCapability.SparseMmap sparse(
      String object, long regionSize, CapabilityChain.Link link) throws VfioException {
    long start = vfio_region_info_cap_sparse_mmap.SIZEOF;
    link.require(OPERATION, object, start);
    MemorySegment bytes = link.bytes();
    long count = Integer.toUnsignedLong(vfio_region_info_cap_sparse_mmap.nr_areas(bytes));
    if (count > (bytes.byteSize() - start) / vfio_region_sparse_mmap_area.SIZEOF) {
      throw impossible(object, count + " areas in " + bytes.byteSize() + " bytes");
    }
    List<RegionCapability.SparseMmap.Area> areas = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      MemorySegment area =
          bytes.asSlice(
              start + i * vfio_region_sparse_mmap_area.SIZEOF, vfio_region_sparse_mmap_area.SIZEOF);
      long offset = vfio_region_sparse_mmap_area.offset(area);
      long size = vfio_region_sparse_mmap_area.size(area);
      if (offset < 0 || size < 0 || offset > regionSize || size > regionSize - offset) {
        throw impossible(object, "an area of 0x%x bytes at 0x%x".formatted(size, offset));
      }
      areas.add(new RegionCapability.SparseMmap.Area(offset, size));
    }
    return new RegionCapability.SparseMmap(areas);
  }

  private static VfioException impossible(String object, String what) {
    return Answer.impossible(OPERATION, object, what);
  }
}
