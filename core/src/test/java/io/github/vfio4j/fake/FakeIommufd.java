package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_fault_alloc;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_iova_ranges;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommu_iova_range;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.ToIntFunction;

/** An iommufd. */
final class FakeIommufd extends FakeFile {
  private final Kernel real;
  private final OpenFiles files;
  private final FakeIommu iommu;
  private final DeviceMappings deviceMappings;
  private final FakeObjects objects = new FakeObjects();

  FakeIommufd(Kernel real, OpenFiles files, FakeIommu iommu, DeviceMappings deviceMappings) {
    super("IOMMU_");
    this.real = real;
    this.files = files;
    this.iommu = iommu;
    this.deviceMappings = deviceMappings;
  }

  FakeObjects objects() {
    return objects;
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment request) {
    return switch (operation) {
      case IOMMU_DESTROY -> objects.destroy(iommu_destroy.id(request));
      case IOMMU_IOAS_ALLOC ->
          made(
              objects.enter(FakeObject.ioas(new FakeMappings())),
              id -> iommu_ioas_alloc.out_ioas_id(request, id));
      case IOMMU_IOAS_IOVA_RANGES -> ranges(request);
      case IOMMU_IOAS_MAP ->
          ioas(
              iommu_ioas_map.ioas_id(request),
              ioas -> ioas.map(iommu_ioas_map.iova(request), iommu_ioas_map.length(request)));
      case IOMMU_IOAS_MAP_FILE ->
          ioas(
              iommu_ioas_map_file.ioas_id(request),
              ioas ->
                  ioas.map(iommu_ioas_map_file.iova(request), iommu_ioas_map_file.length(request)));
      case IOMMU_IOAS_COPY -> copy(request);
      case IOMMU_IOAS_UNMAP ->
          ioas(iommu_ioas_unmap.ioas_id(request), ioas -> unmap(ioas, request));
      case IOMMU_HWPT_ALLOC -> allocateHwpt(request);
      case IOMMU_FAULT_QUEUE_ALLOC ->
          made(
              objects.make(),
              id -> {
                iommu_fault_alloc.out_fault_id(request, id);
                iommu_fault_alloc.out_fault_fd(request, FakeQueue.open(real, files));
              });
      case IOMMU_VIOMMU_ALLOC ->
          made(
              objects.make(iommu_viommu_alloc.hwpt_id(request)),
              id -> iommu_viommu_alloc.out_viommu_id(request, id));
      case IOMMU_VDEVICE_ALLOC ->
          made(
              objects.make(iommu_vdevice_alloc.viommu_id(request)),
              id -> iommu_vdevice_alloc.out_vdevice_id(request, id));
      case IOMMU_VEVENTQ_ALLOC ->
          made(
              objects.make(iommu_veventq_alloc.viommu_id(request)),
              id -> {
                iommu_veventq_alloc.out_veventq_id(request, id);
                iommu_veventq_alloc.out_veventq_fd(request, FakeQueue.open(real, files));
              });
      case IOMMU_HW_QUEUE_ALLOC ->
          made(
              objects.make(iommu_hw_queue_alloc.viommu_id(request)),
              id -> iommu_hw_queue_alloc.out_hw_queue_id(request, id));
      case IOMMU_GET_HW_INFO -> {
        iommu_hw_info.data_len(request, 0);
        yield 0;
      }
      case IOMMU_HWPT_INVALIDATE,
          IOMMU_HWPT_SET_DIRTY_TRACKING,
          IOMMU_HWPT_GET_DIRTY_BITMAP,
          IOMMU_OPTION,
          IOMMU_IOAS_ALLOW_IOVAS,
          IOMMU_IOAS_NOIOMMU_GET_PA ->
          0;
      default -> refused(Errno.ENOTTY);
    };
  }

  /** Tells the number of a new object, or hands on why there is none. */
  private static int made(int id, IntConsumer reply) {
    if (id < 0) {
      return id;
    }
    reply.accept(id);
    return 0;
  }

  private int ioas(int id, ToIntFunction<FakeMappings> action) {
    FakeMappings ioas = objects.ioas(id);
    return ioas == null ? refused(Errno.ENOENT) : action.applyAsInt(ioas);
  }

  private int ranges(MemorySegment request) {
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

  private int copy(MemorySegment request) {
    long size = iommu_ioas_copy.length(request);
    FakeMappings source = objects.ioas(iommu_ioas_copy.src_ioas_id(request));
    if (source == null || !source.has(iommu_ioas_copy.src_iova(request), size)) {
      return refused(Errno.ENOENT);
    }
    return ioas(
        iommu_ioas_copy.dst_ioas_id(request),
        ioas -> ioas.map(iommu_ioas_copy.dst_iova(request), size));
  }

  private static int unmap(FakeMappings ioas, MemorySegment request) {
    long iova = iommu_ioas_unmap.iova(request);
    long size = iommu_ioas_unmap.length(request);
    boolean all = iova == 0 && size == -1;
    long unmapped = all ? ioas.unmapAll() : ioas.unmap(iova, size);
    if (unmapped == 0 && !all) {
      return refused(Errno.ENOENT);
    }
    iommu_ioas_unmap.length(request, unmapped);
    return 0;
  }

  private int allocateHwpt(MemorySegment request) {
    int table = iommu_hwpt_alloc.pt_id(request);
    boolean faults = (iommu_hwpt_alloc.flags(request) & iommufd_h.IOMMU_HWPT_FAULT_ID_VALID) != 0;
    int made =
        faults ? objects.make(table, iommu_hwpt_alloc.fault_id(request)) : objects.make(table);
    return made(made, id -> iommu_hwpt_alloc.out_hwpt_id(request, id));
  }

  @Override
  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return deviceMappings.map(address, length, protection, flags);
  }

  @Override
  List<String> left() {
    return objects.left();
  }
}
