package io.github.vfio4j.iommufd;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_viommu_alloc;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A virtual IOMMU (vIOMMU): the slice of a physical IOMMU that belongs to one guest, on a {@link
 * HwptPaging} that holds the guest's memory.
 *
 * <p>On it are made the guest's page tables ({@link #allocateNested}), its names of devices ({@link
 * #allocateVdevice}), the queue of its events ({@link #allocateVeventQueue}) and queues that the
 * hardware reads by itself ({@link #allocateHwQueue}); it owns them.
 *
 * <p>Thread-safe. It ends with its parent page table. Once it is closed, its methods that need the
 * kernel throw {@link IllegalStateException}.
 */
public final class Viommu implements AutoCloseable {
  /** The type of Arm's SMMUv3. */
  public static final int ARM_SMMUV3 = iommufd_h.IOMMU_VIOMMU_TYPE_ARM_SMMUV3;

  /** The type of Arm's SMMUv3 with NVIDIA's virtual command queues. */
  public static final int TEGRA241_CMDQV = iommufd_h.IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV;

  private final IommufdObject object;
  private final HwptPaging parent;
  private final int type;
  private final byte[] data;

  private Viommu(IommufdObject object, HwptPaging parent, int type, byte[] data) {
    this.object = object;
    this.parent = parent;
    this.type = type;
    this.data = data;
  }

  /** Makes a vIOMMU, with the monitor of the iommufd held. */
  static Viommu allocate(HwptPaging parent, BoundDevice device, int type, byte[] data)
      throws VfioException {
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      IommufdObject object =
          new IommufdObject(parent.iommufd(), "vIOMMU", parent.object.dependents());
      rollback.add(object::close);
      // the first kernels know no data
      MemorySegment request =
          Request.of(
              arena,
              iommu_viommu_alloc.LAYOUT,
              data.length == 0 ? iommu_viommu_alloc.data_len$OFFSET : iommu_viommu_alloc.SIZEOF);
      MemorySegment copy = arena.allocate(Math.max(1, data.length), Long.BYTES);
      MemorySegment.copy(data, 0, copy, ValueLayout.JAVA_BYTE, 0, data.length);
      if (data.length > 0) {
        iommu_viommu_alloc.data_len(request, data.length);
        iommu_viommu_alloc.data_uptr(request, copy.address());
      }
      iommu_viommu_alloc.type(request, type);
      iommu_viommu_alloc.dev_id(request, device.id());
      iommu_viommu_alloc.hwpt_id(request, parent.id());
      int answer =
          object.make(Ioctl.IOMMU_VIOMMU_ALLOC, request, iommu_viommu_alloc.out_viommu_id$OFFSET);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_VIOMMU_ALLOC, parent + " for " + device, answer, meaning(answer, parent));
      }
      byte[] filled = copy.asSlice(0, data.length).toArray(ValueLayout.JAVA_BYTE);
      return rollback.done(new Viommu(object, parent, type, filled));
    }
  }

  private static String meaning(int answer, HwptPaging parent) {
    if (Answer.is(answer, Errno.EOPNOTSUPP)) {
      return "this kernel or this IOMMU has no vIOMMU of this type";
    }
    if (Answer.is(answer, Errno.EINVAL) && !parent.flags().contains(HwptFlag.NEST_PARENT)) {
      return "the page table was made without NEST_PARENT";
    }
    return "";
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
   * Returns which kind of IOMMU it is.
   *
   * @return as given when it was made
   */
  public int type() {
    return type;
  }

  /**
   * Returns the page table that holds the guest's memory.
   *
   * @return the second stage of all translation
   */
  public HwptPaging parent() {
    return parent;
  }

  /**
   * Returns the data that it was made with, as the kernel has filled it.
   *
   * @return a fresh array; empty where none was given
   */
  public byte[] data() {
    return data.clone();
  }

  /**
   * Makes a page table of the guest; {@code IOMMU_HWPT_ALLOC}.
   *
   * @param device for which device
   * @param pageTable where and what the guest's page table is, such as {@link
   *     ArmSmmuv3StreamTableEntry}
   * @return the page table; it ends with this vIOMMU
   * @throws IllegalArgumentException if the device is bound to another iommufd
   * @throws VfioException if the kernel refuses; EIO says that the data has a forbidden bit
   */
  public HwptNested allocateNested(BoundDevice device, HwptData pageTable) throws VfioException {
    return allocateNested(device, pageTable, null);
  }

  /**
   * Makes a page table of the guest whose page faults are delivered to user space.
   *
   * @param device for which device
   * @param pageTable where and what the guest's page table is
   * @param faults where its page faults go, or null for nowhere
   * @param flags {@link HwptFlag#PASID}, or none
   * @return the page table; it ends with this vIOMMU and with the fault queue
   * @throws IllegalArgumentException if the device or the queue belongs to another iommufd
   * @throws VfioException as {@link #allocateNested(BoundDevice, HwptData)}
   */
  public HwptNested allocateNested(
      BoundDevice device, HwptData pageTable, @Nullable FaultQueue faults, HwptFlag... flags)
      throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      object.iommufd().require(device);
      return HwptNested.allocate(
          object, parent, device, HwptPaging.setOf(flags), faults, pageTable);
    }
  }

  /**
   * Returns the vIOMMU by which number the guest knows a device; {@code IOMMU_VDEVICE_ALLOC}.
   *
   * <p>Events and invalidations name devices by these numbers. On SMMUv3 a device needs one before
   * it is attached to a page table of the guest, and so do all others of its group, which go there
   * with it.
   *
   * @param device the device, behind the same physical IOMMU
   * @param virtualId the guest's number: the stream ID on SMMUv3, the device ID on AMD
   * @return the virtual device; it ends with the device and with this vIOMMU
   * @throws IllegalArgumentException if the device is bound to another iommufd
   * @throws VfioException if the kernel refuses; EEXIST says that the device has one already, or
   *     that another device has this number
   */
  public Vdevice allocateVdevice(BoundDevice device, long virtualId) throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      object.iommufd().require(device);
      return Vdevice.allocate(this, object, device, virtualId);
    }
  }

  /**
   * Makes the queue of the guest's events of one type; {@code IOMMU_VEVENTQ_ALLOC}.
   *
   * @param eventType which events, such as {@link VeventQueue#ARM_SMMUV3}; there is one queue a
   *     type
   * @param depth how many events it holds, from 1; later ones are lost, and noted
   * @return the queue; it ends with this vIOMMU
   * @throws IllegalArgumentException if the depth is not positive, or the type is not known here
   * @throws VfioException if the kernel refuses; EEXIST says that there is such a queue
   */
  public VeventQueue allocateVeventQueue(int eventType, int depth) throws VfioException {
    return allocateVeventQueue(eventType, depth, VeventQueue.eventSize(eventType));
  }

  /**
   * Makes a queue for events of a type that this library does not know.
   *
   * @param eventType which events
   * @param depth how many events it holds, from 1
   * @param eventSize bytes of one event, without its header
   * @return the queue; it ends with this vIOMMU
   * @throws IllegalArgumentException if depth or size is not positive
   * @throws VfioException as {@link #allocateVeventQueue(int, int)}
   */
  public VeventQueue allocateVeventQueue(int eventType, int depth, int eventSize)
      throws VfioException {
    if (depth <= 0 || eventSize <= 0) {
      throw new IllegalArgumentException(
          "A queue of %d events of %d bytes: both are above 0".formatted(depth, eventSize));
    }
    synchronized (object.iommufd()) {
      object.requireOpen();
      return VeventQueue.allocate(object, eventType, depth, eventSize);
    }
  }

  /**
   * Gives the hardware a queue that it reads by itself from the guest's memory; {@code
   * IOMMU_HW_QUEUE_ALLOC}. The memory cannot be unmapped from the guest until the queue is closed.
   *
   * @param queueType which kind of queue, such as {@link HwQueue#TEGRA241_CMDQV}
   * @param index the guest's number of the queue
   * @param address where the guest sees the queue, an IOVA of the parent's address space
   * @param size bytes of the queue
   * @return the queue; it ends with this vIOMMU
   * @throws VfioException if the kernel refuses; EFAULT says that the memory is not contiguous
   */
  public HwQueue allocateHwQueue(int queueType, int index, long address, long size)
      throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      return HwQueue.allocate(object, queueType, index, address, size);
    }
  }

  /**
   * Makes the IOMMU forget what it has cached of the guest's page tables and devices; {@code
   * IOMMU_HWPT_INVALIDATE}.
   *
   * @param batch what to forget; all entries are carried out, in their order
   * @throws InvalidationException if the kernel refuses an entry; those before it are carried out
   * @throws UnsupportedByKernelException if this kernel has no invalidation, or not of this vIOMMU
   */
  public void invalidate(InvalidationBatch batch) throws VfioException {
    batch.run(object);
  }

  /**
   * Maps registers of this vIOMMU into this process; {@code mmap} on {@code /dev/iommu}.
   *
   * @param offset what the kernel has given as offset in {@link #data}
   * @param size what it has given as length; it is mapped whole
   * @return the mapping; this vIOMMU closes it at the latest
   * @throws IllegalArgumentException if the size is not positive, or not whole pages
   * @throws VfioException if the kernel refuses, as it does what it did not give
   */
  public MappedRegion map(long offset, long size) throws VfioException {
    synchronized (object.iommufd()) {
      object.requireOpen();
      try (Rollback rollback = new Rollback()) {
        MappedRegion mapped =
            rollback.make(
                () -> object.iommufd().map(offset, size, "registers of " + this, this::forget),
                MappedRegion::close);
        object.companions().add(mapped, mapped::close);
        return rollback.done(mapped);
      }
    }
  }

  private void forget(MappedRegion mapped) {
    synchronized (object.iommufd()) {
      object.companions().remove(mapped);
    }
  }

  /**
   * Destroys the vIOMMU after what was made on it; {@code IOMMU_DESTROY}. Later calls do nothing.
   *
   * @throws DeviceBusyException if a device is attached to a page table on it; it stays usable then
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
