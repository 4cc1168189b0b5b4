package io.github.vfio4j.container;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_iova_range;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_cap_migration;
import io.github.vfio4j.bindings.vfio_iommu_type1_info_dma_avail;
import io.github.vfio4j.bindings.vfio_iova_range;
import io.github.vfio4j.device.CapabilityChain;
import io.github.vfio4j.device.InfoReply;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a container says of its IOMMU: {@code VFIO_IOMMU_GET_INFO}.
 *
 * @param granule the smallest page of the IOMMU; of 1 byte where an iommufd knows none yet
 * @param ranges what can be mapped
 * @param mappingsLeft how many more mappings there may be, where the kernel says so
 * @param migration how dirty pages are told, where the kernel says so
 */
record ContainerInfo(
    long granule,
    List<IovaRange> ranges,
    OptionalLong mappingsLeft,
    Optional<Container.Migration> migration) {

  static ContainerInfo read(Fd fd) throws VfioException {
    return read(fd.object(), info -> fd.ioctl(Ioctl.VFIO_IOMMU_GET_INFO, info));
  }

  static ContainerInfo read(String object, InfoReply.Question question) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment reply =
          InfoReply.ask(
              Ioctl.VFIO_IOMMU_GET_INFO,
              object,
              question,
              arena,
              vfio_iommu_type1_info.SIZEOF,
              info -> {});
      int flags = vfio_iommu_type1_info.flags(reply);
      long pageSizes =
          (flags & vfio_h.VFIO_IOMMU_INFO_PGSIZES) == 0
              ? 0
              : vfio_iommu_type1_info.iova_pgsizes(reply);
      long granule = Long.lowestOneBit(pageSizes);
      if (granule <= 0) {
        throw impossible(object, "no page size that fits, but 0x%x".formatted(pageSizes));
      }
      List<IovaRange> ranges = List.of(new IovaRange(0, -1));
      OptionalLong mappingsLeft = OptionalLong.empty();
      Optional<Container.Migration> migration = Optional.empty();
      if ((flags & vfio_h.VFIO_IOMMU_INFO_CAPS) != 0) {
        long first = Integer.toUnsignedLong(vfio_iommu_type1_info.cap_offset(reply));
        for (CapabilityChain.Link link :
            CapabilityChain.walk(reply, first, vfio_iommu_type1_info.SIZEOF, object)) {
          switch (link.id()) {
            case vfio_h.VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE -> {
              require(object, link, vfio_iommu_type1_info_cap_iova_range.SIZEOF);
              ranges = ranges(object, link.bytes());
            }
            case vfio_h.VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL -> {
              require(object, link, vfio_iommu_type1_info_dma_avail.SIZEOF);
              mappingsLeft =
                  OptionalLong.of(
                      Integer.toUnsignedLong(vfio_iommu_type1_info_dma_avail.avail(link.bytes())));
            }
            case vfio_h.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION -> {
              require(object, link, vfio_iommu_type1_info_cap_migration.SIZEOF);
              migration =
                  Optional.of(
                      new Container.Migration(
                          vfio_iommu_type1_info_cap_migration.pgsize_bitmap(link.bytes()),
                          vfio_iommu_type1_info_cap_migration.max_dirty_bitmap_size(link.bytes())));
            }
            default -> {}
          }
        }
      }
      return new ContainerInfo(granule, ranges, mappingsLeft, migration);
    }
  }

  private static void require(String object, CapabilityChain.Link link, long size)
      throws VfioException {
    link.require(Ioctl.VFIO_IOMMU_GET_INFO, object, size);
  }

  private static List<IovaRange> ranges(String object, MemorySegment capability)
      throws VfioException {
    long start = vfio_iommu_type1_info_cap_iova_range.SIZEOF;
    long count = Integer.toUnsignedLong(vfio_iommu_type1_info_cap_iova_range.nr_iovas(capability));
    if (count > (capability.byteSize() - start) / vfio_iova_range.SIZEOF) {
      throw impossible(object, count + " ranges in " + capability.byteSize() + " bytes");
    }
    List<IovaRange> ranges = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      MemorySegment range =
          capability.asSlice(start + i * vfio_iova_range.SIZEOF, vfio_iova_range.SIZEOF);
      long first = vfio_iova_range.start(range);
      long last = vfio_iova_range.end(range);
      if (Long.compareUnsigned(first, last) > 0) {
        throw impossible(object, "a range from 0x%x to 0x%x".formatted(first, last));
      }
      ranges.add(new IovaRange(first, last));
    }
    return ranges;
  }

  private static VfioException impossible(String object, String what) {
    return Answer.impossible(Ioctl.VFIO_IOMMU_GET_INFO, object, what);
  }
}
