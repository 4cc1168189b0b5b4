package io.github.vfio4j.iommufd;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_queue_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A queue in a guest's memory that the IOMMU reads by itself, without a system call.
 *
 * <p>Thread-safe. It ends with its {@link Viommu}.
 */
public final class HwQueue implements AutoCloseable {
  /** The type of NVIDIA's virtual command queues. */
  public static final int TEGRA241_CMDQV = iommufd_h.IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV;

  private final IommufdObject object;
  private final int index;

  private HwQueue(IommufdObject object, int index) {
    this.object = object;
    this.index = index;
  }

  /** Makes a queue, with the monitor of the iommufd held. */
  static HwQueue allocate(IommufdObject viommu, int type, int index, long address, long size)
      throws VfioException {
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      IommufdObject object =
          new IommufdObject(viommu.iommufd(), "hardware queue", viommu.companions());
      rollback.add(object::close);
      MemorySegment request = Request.of(arena, iommu_hw_queue_alloc.LAYOUT);
      iommu_hw_queue_alloc.viommu_id(request, viommu.id());
      iommu_hw_queue_alloc.type(request, type);
      iommu_hw_queue_alloc.index(request, index);
      iommu_hw_queue_alloc.nesting_parent_iova(request, address);
      iommu_hw_queue_alloc.length(request, size);
      int answer =
          object.make(
              Ioctl.IOMMU_HW_QUEUE_ALLOC, request, iommu_hw_queue_alloc.out_hw_queue_id$OFFSET);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_HW_QUEUE_ALLOC,
            "queue " + index + " of " + viommu,
            answer,
            Answer.is(answer, Errno.EFAULT) ? "its memory is not contiguous, or not mapped" : "");
      }
      return rollback.done(new HwQueue(object, index));
    }
  }

  /**
   * Returns the kernel's number of this object.
   *
   * @return the object ID within its iommufd
   */
  public int id() {
    return object.id();
  }

  /**
   * Returns the guest's number of the queue.
   *
   * @return as given when it was made
   */
  public int index() {
    return index;
  }

  /**
   * Takes the queue from the hardware; {@code IOMMU_DESTROY}. Later calls do nothing.
   *
   * @throws DeviceBusyException if the kernel wants a later queue closed first; it stays usable
   * @throws VfioException if the kernel refuses otherwise
   */
  @Override
  public void close() throws VfioException {
    object.close();
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return object.toString();
  }
}
