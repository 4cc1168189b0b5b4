package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_bitmap;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap_get;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_info;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A container of the legacy interface: without a group it has no IOMMU, and nothing mapped. */
final class FakeContainer extends FakeFile {
  private final FakeMappings mappings;
  private final Set<FakeGroup> groups = new HashSet<>();
  private boolean iommu;
  private boolean tracking;

  FakeContainer(FakeIommu iommu) {
    super("VFIO_GET_", "VFIO_CHECK_", "VFIO_SET_", "VFIO_IOMMU_");
    this.mappings = iommu.newSpace();
  }

  void join(FakeGroup group) {
    groups.add(group);
  }

  void leave(FakeGroup group) {
    groups.remove(group);
    if (groups.isEmpty()) {
      iommu = false;
      mappings.clear();
    }
  }

  /** Adds a device, unless the pages that are mapped are not there. */
  int attach() {
    return mappings.attach();
  }

  void detach() {
    mappings.detach();
  }

  @Override
  int ioctl(Ioctl operation, long argument) {
    return switch (operation) {
      case VFIO_GET_API_VERSION -> vfio_h.VFIO_API_VERSION;
      case VFIO_CHECK_EXTENSION -> 1;
      case VFIO_SET_IOMMU -> {
        iommu = !groups.isEmpty();
        yield iommu ? 0 : refused(Errno.EINVAL);
      }
      default -> refused(Errno.ENOTTY);
    };
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment request) {
    if (!iommu) {
      return refused(Errno.EINVAL);
    }
    return switch (operation) {
      case VFIO_IOMMU_GET_INFO -> {
        vfio_iommu_type1_info.flags(request, vfio_h.VFIO_IOMMU_INFO_PGSIZES);
        vfio_iommu_type1_info.iova_pgsizes(request, 0x40201000L);
        yield 0;
      }
      case VFIO_IOMMU_MAP_DMA -> map(request);
      case VFIO_IOMMU_UNMAP_DMA -> unmap(request);
      case VFIO_IOMMU_DIRTY_PAGES -> dirtyPages(request);
      default -> refused(Errno.ENOTTY);
    };
  }

  private int map(MemorySegment request) {
    long iova = vfio_iommu_type1_dma_map.iova(request);
    long address = vfio_iommu_type1_dma_map.vaddr(request);
    if (vfio_iommu_type1_dma_map.flags(request) == vfio_h.VFIO_DMA_MAP_FLAG_VADDR) {
      return mappings.move(iova, address);
    }
    long size = vfio_iommu_type1_dma_map.size(request);
    return mappings.map(iova, size, new FakePages(address, size));
  }

  /** Unmaps, and tells how much; to have unmapped nothing is no error. */
  private int unmap(MemorySegment request) {
    int flags = vfio_iommu_type1_dma_unmap.flags(request);
    if (flags == vfio_h.VFIO_DMA_UNMAP_FLAG_VADDR) {
      return 0;
    }
    if (flags == vfio_h.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP) {
      if (!tracking) {
        return refused(Errno.EINVAL);
      }
      writeBits(request.asSlice(vfio_iommu_type1_dma_unmap.SIZEOF));
    }
    boolean all = (vfio_iommu_type1_dma_unmap.flags(request) & vfio_h.VFIO_DMA_UNMAP_FLAG_ALL) != 0;
    long unmapped =
        all
            ? mappings.unmapAll()
            : mappings.unmap(
                vfio_iommu_type1_dma_unmap.iova(request), vfio_iommu_type1_dma_unmap.size(request));
    vfio_iommu_type1_dma_unmap.size(request, unmapped);
    return 0;
  }

  private int dirtyPages(MemorySegment request) {
    int flags = vfio_iommu_type1_dirty_bitmap.flags(request);
    if (flags != vfio_h.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP) {
      tracking = flags == vfio_h.VFIO_IOMMU_DIRTY_PAGES_FLAG_START;
      return 0;
    }
    if (!tracking) {
      return refused(Errno.EINVAL);
    }
    writeBits(
        vfio_iommu_type1_dirty_bitmap_get.bitmap(
            request.asSlice(vfio_iommu_type1_dirty_bitmap.SIZEOF)));
    return 0;
  }

  /** Writes over a bitmap: every other page is dirty. */
  @SuppressWarnings("restricted") // the request names room for the bits
  private static void writeBits(MemorySegment bitmap) {
    MemorySegment.ofAddress(vfio_bitmap.data(bitmap))
        .reinterpret(vfio_bitmap.size(bitmap))
        .fill((byte) 0x55);
  }

  @Override
  void closed() {
    mappings.clear();
  }

  @Override
  List<String> left() {
    return mappings.left();
  }
}
