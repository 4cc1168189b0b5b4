package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.iommu_destroy;
import io.github.vfio4j.bindings.iommu_fault_alloc;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommu_hwpt_alloc;
import io.github.vfio4j.bindings.iommu_ioas_alloc;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.bindings.iommu_veventq_alloc;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.function.IntConsumer;

/** An iommufd. */
final class FakeIommufd extends FakeFile {
  private final Kernel real;
  private final OpenFiles files;
  private final FakeIommu iommu;
  private final DeviceMappings deviceMappings;
  private final FakeObjects objects = new FakeObjects();
  private final FakeIoasCalls ioases;

  FakeIommufd(Kernel real, OpenFiles files, FakeIommu iommu, DeviceMappings deviceMappings) {
    super("IOMMU_");
    this.real = real;
    this.files = files;
    this.iommu = iommu;
    this.ioases = new FakeIoasCalls(iommu, objects);
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
          made(ioases.allocate(), id -> iommu_ioas_alloc.out_ioas_id(request, id));
      case IOMMU_IOAS_IOVA_RANGES -> ioases.ranges(request);
      case IOMMU_IOAS_MAP -> ioases.map(request);
      case IOMMU_IOAS_MAP_FILE -> ioases.mapFile(request);
      case IOMMU_IOAS_COPY -> ioases.copy(request);
      case IOMMU_IOAS_UNMAP -> ioases.unmap(request);
      case IOMMU_HWPT_ALLOC -> allocateHwpt(request);
      case IOMMU_FAULT_QUEUE_ALLOC ->
          made(
              objects.make(),
              id -> {
                iommu_fault_alloc.out_fault_id(request, id);
                iommu_fault_alloc.out_fault_fd(request, queueOf(id));
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
                iommu_veventq_alloc.out_veventq_fd(request, queueOf(id));
              });
      case IOMMU_HW_QUEUE_ALLOC -> allocateHwQueue(request);
      case IOMMU_GET_HW_INFO -> {
        iommu_hw_info.data_len(request, 0);
        yield 0;
      }
      case IOMMU_HWPT_INVALIDATE -> iommu.invalidate(request);
      case IOMMU_HWPT_SET_DIRTY_TRACKING,
          IOMMU_HWPT_GET_DIRTY_BITMAP,
          IOMMU_OPTION,
          IOMMU_IOAS_ALLOW_IOVAS,
          IOMMU_IOAS_CHANGE_PROCESS,
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

  private int queueOf(int id) {
    return FakeQueue.open(real, files, Objects.requireNonNull(objects.get(id)));
  }

  private int allocateHwpt(MemorySegment request) {
    int table = iommu_hwpt_alloc.pt_id(request);
    FakeMappings filled = objects.ioas(table); // with all that is mapped, so the pages are needed
    int answer = filled == null ? 0 : filled.attach();
    if (answer < 0) {
      return answer;
    }
    boolean faults = (iommu_hwpt_alloc.flags(request) & iommufd_h.IOMMU_HWPT_FAULT_ID_VALID) != 0;
    int made =
        faults ? objects.make(table, iommu_hwpt_alloc.fault_id(request)) : objects.make(table);
    FakeObject hwpt = objects.get(made);
    if (filled != null && hwpt != null) {
      hwpt.endWith(filled::detach);
    } else if (filled != null) {
      filled.detach();
    }
    return made(made, id -> iommu_hwpt_alloc.out_hwpt_id(request, id));
  }

  /** Makes a queue that keeps its memory mapped. */
  private int allocateHwQueue(MemorySegment request) {
    FakeObject viommu = objects.get(iommu_hw_queue_alloc.viommu_id(request));
    FakeMappings mappings = viommu == null ? null : viommu.mappings();
    if (viommu == null || mappings == null) {
      return refused(Errno.ENOENT);
    }
    long iova = iommu_hw_queue_alloc.nesting_parent_iova(request);
    int answer = mappings.lock(iova, iommu_hw_queue_alloc.length(request));
    if (answer < 0) {
      return answer;
    }
    FakeObject queue = FakeObject.of(viommu);
    queue.endWith(() -> mappings.unlock(iova));
    iommu_hw_queue_alloc.out_hw_queue_id(request, objects.enter(queue));
    return 0;
  }

  @Override
  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return deviceMappings.map(address, length, protection, flags);
  }

  @Override
  void closed() {
    objects.closed();
  }

  @Override
  List<String> left() {
    return objects.left();
  }
}
