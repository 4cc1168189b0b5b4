package io.github.vfio4j.iommufd;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hwpt_get_dirty_bitmap;
import io.github.vfio4j.bindings.iommu_hwpt_set_dirty_tracking;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A hardware page table that the kernel fills from the mappings of an {@link Ioas}.
 *
 * <p>{@link Ioas#allocateHwpt} makes one. Made as a {@linkplain HwptFlag#NEST_PARENT parent of
 * nesting}, it is the second stage of page tables that a guest writes: on VT-d these are made
 * directly from it ({@link #allocateNested}), on SMMUv3 and AMD from a {@link Viommu} on it.
 */
public final class HwptPaging extends Hwpt {
  private final Ioas ioas;
  private final Set<HwptFlag> flags;

  /**
   * Allocated once, since reading dirty bits must not allocate. Used under the iommufd's monitor.
   */
  private final MemorySegment dirtyRequest =
      Request.of(Arena.ofAuto(), iommu_hwpt_get_dirty_bitmap.LAYOUT);

  private HwptPaging(IommufdObject object, boolean deliversFaults, Ioas ioas, Set<HwptFlag> flags) {
    super(object, deliversFaults);
    this.ioas = ioas;
    this.flags = flags;
  }

  /** Makes a page table from an IOAS, with the monitor of the iommufd held. */
  static HwptPaging allocate(
      Ioas ioas, BoundDevice device, Set<HwptFlag> flags, @Nullable FaultQueue faults)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      IommufdObject object =
          HwptAllocation.run(
              rollback, "HWPT", device, ioas.id(), ioas, ioas.dependents(), flags, faults, null);
      return rollback.done(new HwptPaging(object, faults != null, ioas, flags));
    }
  }

  /**
   * Takes over a page table that another process has made, with the monitor of the iommufd held.
   */
  static HwptPaging takeOver(Ioas ioas, int id, Set<HwptFlag> flags) {
    IommufdObject object = new IommufdObject(ioas.iommufd(), "HWPT", ioas.dependents());
    object.take(id);
    return new HwptPaging(object, false, ioas, Set.copyOf(flags));
  }

  /**
   * Returns the address space whose mappings are in this page table.
   *
   * @return what it was made from
   */
  public Ioas ioas() {
    return ioas;
  }

  /**
   * Returns what was asked for when it was made.
   *
   * @return the flags, unmodifiable
   */
  public Set<HwptFlag> flags() {
    return flags;
  }

  /**
   * Makes a page table of a guest, nested on this one, in the way of Intel's VT-d; {@code
   * IOMMU_HWPT_ALLOC}.
   *
   * @param device for which device; its IOMMU reads the data
   * @param data where and what the guest's page table is
   * @return the page table; it ends with this one
   * @throws IllegalArgumentException if the device is bound to another iommufd
   * @throws IllegalStateException if this page table is closed
   * @throws UnsupportedByKernelException if this IOMMU does not nest so: SMMUv3 and AMD nest on a
   *     {@link Viommu}
   * @throws VfioException if the kernel refuses; EIO says that the data has a forbidden bit
   */
  public HwptNested allocateNested(BoundDevice device, HwptData data) throws VfioException {
    return allocateNested(device, data, null);
  }

  /**
   * Makes a page table of a guest as {@link #allocateNested(BoundDevice, HwptData)} does, whose
   * page faults are delivered to user space.
   *
   * @param device for which device
   * @param data where and what the guest's page table is
   * @param faults where its page faults go, or null for nowhere
   * @param nestedFlags {@link HwptFlag#PASID}, or none
   * @return the page table; it ends with this one and with the fault queue
   * @throws IllegalArgumentException if the device or the queue belongs to another iommufd
   * @throws VfioException as {@link #allocateNested(BoundDevice, HwptData)}
   */
  public HwptNested allocateNested(
      BoundDevice device, HwptData data, @Nullable FaultQueue faults, HwptFlag... nestedFlags)
      throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      iommufd().require(device);
      return HwptNested.allocate(object, this, device, setOf(nestedFlags), faults, data);
    }
  }

  static Set<HwptFlag> setOf(HwptFlag... flags) {
    Set<HwptFlag> set = EnumSet.noneOf(HwptFlag.class);
    set.addAll(Set.of(flags));
    return Set.copyOf(set);
  }

  /**
   * Makes a virtual IOMMU on this page table, which has to be a {@linkplain HwptFlag#NEST_PARENT
   * parent of nesting}; {@code IOMMU_VIOMMU_ALLOC}.
   *
   * @param device a device behind the physical IOMMU that shall back it
   * @param type which kind of IOMMU, such as {@link Viommu#ARM_SMMUV3}
   * @return the virtual IOMMU; it ends with this page table
   * @throws IllegalArgumentException if the device is bound to another iommufd
   * @throws UnsupportedByKernelException if this kernel or IOMMU has none of this type
   * @throws VfioException if the kernel refuses otherwise
   */
  public Viommu allocateViommu(BoundDevice device, int type) throws VfioException {
    return allocateViommu(device, type, new byte[0]);
  }

  /**
   * Makes a virtual IOMMU that takes or gives data of its own, such as {@link
   * Viommu#TEGRA241_CMDQV}.
   *
   * @param device a device behind the physical IOMMU that shall back it
   * @param type which kind of IOMMU
   * @param data the structure of that kind as the kernel reads and fills it; a copy is used, and
   *     {@link Viommu#data} has what the kernel made of it
   * @return the virtual IOMMU; it ends with this page table
   * @throws IllegalArgumentException if the device is bound to another iommufd
   * @throws VfioException as {@link #allocateViommu(BoundDevice, int)}
   */
  public Viommu allocateViommu(BoundDevice device, int type, byte[] data) throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      iommufd().require(device);
      return Viommu.allocate(this, device, type, data);
    }
  }

  /**
   * Switches the collecting of dirty bits on or off; {@code IOMMU_HWPT_SET_DIRTY_TRACKING}.
   * Switching on clears those that are set.
   *
   * @param on whether to collect
   * @throws UnsupportedByKernelException if it was made without {@link HwptFlag#DIRTY_TRACKING}
   * @throws VfioException if the kernel refuses otherwise
   */
  public void setDirtyTracking(boolean on) throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request = Request.of(arena, iommu_hwpt_set_dirty_tracking.LAYOUT);
        iommu_hwpt_set_dirty_tracking.hwpt_id(request, id());
        iommu_hwpt_set_dirty_tracking.flags(
            request, on ? iommufd_h.IOMMU_HWPT_DIRTY_TRACKING_ENABLE : 0);
        int answer = iommufd().ioctl(Ioctl.IOMMU_HWPT_SET_DIRTY_TRACKING, request);
        if (answer < 0) {
          throw noDirtyTracking(Ioctl.IOMMU_HWPT_SET_DIRTY_TRACKING, answer);
        }
      }
    }
  }

  /**
   * Reads which pages devices have written since the last reading, and clears that; {@code
   * IOMMU_HWPT_GET_DIRTY_BITMAP}. Bits that are set in the bitmap already stay set.
   *
   * @param bitmap which range to read, and where the answer goes
   * @throws IllegalArgumentException if a part of the bitmap's range is not whole pages of the
   *     address space
   * @throws UnsupportedByKernelException if it was made without {@link HwptFlag#DIRTY_TRACKING}
   * @throws VfioException if the kernel refuses otherwise
   */
  public void readAndClearDirty(DirtyBitmap bitmap) throws VfioException {
    getDirtyBitmap(bitmap, 0);
  }

  /**
   * Reads which pages devices have written, and leaves it noted: cheaper, where the range is about
   * to be unmapped; {@code IOMMU_HWPT_GET_DIRTY_BITMAP}.
   *
   * @param bitmap as in {@link #readAndClearDirty}
   * @throws IllegalArgumentException as {@link #readAndClearDirty}
   * @throws VfioException as {@link #readAndClearDirty}
   */
  public void readDirty(DirtyBitmap bitmap) throws VfioException {
    getDirtyBitmap(bitmap, iommufd_h.IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR);
  }

  private void getDirtyBitmap(DirtyBitmap bitmap, int bits) throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      int answer = fill(bitmap, bits);
      if (Answer.is(answer, Errno.EINVAL)) {
        throw new IllegalArgumentException(
            "Cannot read %s of %s: it is not whole pages of its IOAS, or not mapped"
                .formatted(bitmap, this));
      }
      if (answer < 0) {
        throw noDirtyTracking(Ioctl.IOMMU_HWPT_GET_DIRTY_BITMAP, answer);
      }
    }
  }

  private int fill(DirtyBitmap bitmap, int bits) {
    iommu_hwpt_get_dirty_bitmap.hwpt_id(dirtyRequest, id());
    iommu_hwpt_get_dirty_bitmap.flags(dirtyRequest, bits);
    iommu_hwpt_get_dirty_bitmap.iova(dirtyRequest, bitmap.iova());
    iommu_hwpt_get_dirty_bitmap.length(dirtyRequest, bitmap.length());
    iommu_hwpt_get_dirty_bitmap.page_size(dirtyRequest, bitmap.pageSize());
    iommu_hwpt_get_dirty_bitmap.data(dirtyRequest, bitmap.bits().address());
    return iommufd().ioctl(Ioctl.IOMMU_HWPT_GET_DIRTY_BITMAP, dirtyRequest);
  }

  private VfioException noDirtyTracking(Ioctl operation, int answer) {
    return Answer.is(answer, Errno.ENOTTY)
        ? Answer.failure(operation, toString(), answer)
        : Answer.failure(
            operation,
            toString(),
            answer,
            Answer.is(answer, Errno.EOPNOTSUPP)
                ? "it was made without DIRTY_TRACKING, or its IOMMU has no dirty bits"
                : "");
  }
}
