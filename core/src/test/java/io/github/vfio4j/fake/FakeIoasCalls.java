package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_iova_range;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What an iommufd answers to the ioctls that map and unmap. */
final class FakeIoasCalls {
  private static final int NOT_THERE = -Errno.ENOENT.number();

  private final FakeIommu iommu;
  private final FakeObjects objects;

  FakeIoasCalls(FakeIommu iommu, FakeObjects objects) {
    this.iommu = iommu;
    this.objects = objects;
  }

  /** Makes an IOAS, and returns its number. */
  int allocate() {
    FakeMappings mappings = iommu.newSpace();
    FakeObject ioas = FakeObject.ioas(mappings);
    ioas.endWith(mappings::clear);
    return objects.enter(ioas);
  }

  int ranges(MemorySegment request) {
    iommu_ioas_iova_ranges.out_iova_alignment(request, 1);
    iommu_ioas_iova_ranges.num_iovas(request, 1);
    MemorySegment range = rangeAt(iommu_ioas_iova_ranges.allowed_iovas(request));
    iommu_iova_range.start(range, 0);
    iommu_iova_range.last(range, iommu.lastIova());
    return 0;
  }

  @SuppressWarnings("restricted") // the request names room for one range
  private static MemorySegment rangeAt(long address) {
    return MemorySegment.ofAddress(address).reinterpret(iommu_iova_range.SIZEOF);
  }

  int map(MemorySegment request) {
    long size = iommu_ioas_map.length(request);
    return map(
        iommu_ioas_map.ioas_id(request),
        iommu_ioas_map.iova(request),
        size,
        new FakePages(iommu_ioas_map.user_va(request), size));
  }

  int mapFile(MemorySegment request) {
    return map(
        iommu_ioas_map_file.ioas_id(request),
        iommu_ioas_map_file.iova(request),
        iommu_ioas_map_file.length(request),
        FakePages.ofFile());
  }

  int copy(MemorySegment request) {
    FakeMappings source = objects.ioas(iommu_ioas_copy.src_ioas_id(request));
    long size = iommu_ioas_copy.length(request);
    return map(
        iommu_ioas_copy.dst_ioas_id(request),
        iommu_ioas_copy.dst_iova(request),
        size,
        source == null ? null : source.pages(iommu_ioas_copy.src_iova(request), size));
  }

  private int map(int id, long iova, long size, @Nullable FakePages pages) {
    FakeMappings ioas = objects.ioas(id);
    return ioas == null || pages == null ? NOT_THERE : ioas.map(iova, size, pages);
  }

  int unmap(MemorySegment request) {
    FakeMappings ioas = objects.ioas(iommu_ioas_unmap.ioas_id(request));
    if (ioas == null) {
      return NOT_THERE;
    }
    long iova = iommu_ioas_unmap.iova(request);
    long size = iommu_ioas_unmap.length(request);
    boolean all = iova == 0 && size == -1;
    long unmapped = all ? ioas.unmapAll() : ioas.unmap(iova, size);
    if (unmapped < 0 || (unmapped == 0 && !all)) {
      return unmapped < 0 ? (int) unmapped : NOT_THERE;
    }
    iommu_ioas_unmap.length(request, unmapped);
    return 0;
  }
}
