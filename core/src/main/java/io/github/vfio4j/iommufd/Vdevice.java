package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_vdevice_alloc;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A virtual device (vDevice): the number by which a guest knows a device on a {@link Viommu}.
 *
 * <p>Thread-safe. It ends with the vIOMMU and with the device.
 */
public final class Vdevice implements AutoCloseable {
  private final IommufdObject object;
  private final Viommu viommu;
  private final BoundDevice device;
  private final long virtualId;

  private Vdevice(IommufdObject object, Viommu viommu, BoundDevice device, long virtualId) {
    this.object = object;
    this.viommu = viommu;
    this.device = device;
    this.virtualId = virtualId;
  }

  /** Makes a vDevice, with the monitor of the iommufd held. */
  static Vdevice allocate(Viommu viommu, IommufdObject owner, BoundDevice device, long virtualId)
      throws VfioException {
    try (Arena arena = Arena.ofConfined();
        Rollback rollback = new Rollback()) {
      IommufdObject object = objectFor(owner, device);
      rollback.add(object::close);
      MemorySegment request = Request.of(arena, iommu_vdevice_alloc.LAYOUT);
      iommu_vdevice_alloc.viommu_id(request, owner.id());
      iommu_vdevice_alloc.dev_id(request, device.id());
      iommu_vdevice_alloc.virt_id(request, virtualId);
      int answer =
          object.make(
              Ioctl.IOMMU_VDEVICE_ALLOC, request, iommu_vdevice_alloc.out_vdevice_id$OFFSET);
      if (answer < 0) {
        throw Answer.failure(
            Ioctl.IOMMU_VDEVICE_ALLOC,
            device + " on " + viommu,
            answer,
            Answer.is(answer, Errno.EEXIST)
                ? "the device has a vDevice already, or another one has the number 0x%x"
                    .formatted(virtualId)
                : "");
      }
      return rollback.done(new Vdevice(object, viommu, device, virtualId));
    }
  }

  private static IommufdObject objectFor(IommufdObject owner, BoundDevice device) {
    Iommufd iommufd = owner.iommufd();
    return device instanceof CdevDevice cdev
        ? new IommufdObject(iommufd, "vDevice", owner.companions(), cdev.virtualDevices())
        : new IommufdObject(iommufd, "vDevice", owner.companions());
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
   * Returns the vIOMMU that knows the device so.
   *
   * @return what it was made on
   */
  public Viommu viommu() {
    return viommu;
  }

  /**
   * Returns the device.
   *
   * @return which device the guest knows
   */
  public BoundDevice device() {
    return device;
  }

  /**
   * Returns the guest's number.
   *
   * @return the stream ID on SMMUv3, the device ID on AMD
   */
  public long virtualId() {
    return virtualId;
  }

  /**
   * Makes the vIOMMU forget the number; {@code IOMMU_DESTROY}. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
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
