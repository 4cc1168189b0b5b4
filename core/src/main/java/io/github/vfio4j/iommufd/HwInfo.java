package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Request;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the kernel says of the IOMMU behind a device; {@code IOMMU_GET_HW_INFO}.
 *
 * @param capabilities the {@code IOMMU_HW_CAP_} bits
 * @param pasidBits how many bits a PASID of this device has; 0 where it has none
 * @param data what is particular to the kind of IOMMU; {@link io.github.vfio4j.vtd}, {@link
 *     io.github.vfio4j.smmuv3} and {@link io.github.vfio4j.amd} read it
 */
public record HwInfo(long capabilities, int pasidBits, HwData data) {
  private static final int LIKELY = 256;
  private static final int MOST = 1 << 16;

  /**
   * Asks for the hardware behind a device.
   *
   * @param device the device
   * @return the answer
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if this kernel has no such question (Linux 6.6 was the
   *     first that had it)
   * @throws VfioException if the kernel refuses otherwise; ENOENT says that no IOMMU translates for
   *     the device, as for a mediated one
   */
  public static HwInfo of(BoundDevice device) throws VfioException {
    return ask(device, 0, 0);
  }

  /**
   * Asks for one kind of hardware behind a device, where the IOMMU has an extension that is
   * described apart.
   *
   * @param device the device
   * @param type one of the {@code IOMMU_HW_INFO_TYPE_} numbers
   * @return the answer
   * @throws IllegalStateException if the device is closed
   * @throws UnsupportedByKernelException if this kernel or IOMMU has nothing of this type
   * @throws VfioException if the kernel refuses otherwise
   */
  public static HwInfo of(BoundDevice device, int type) throws VfioException {
    return ask(device, iommufd_h.IOMMU_HW_INFO_FLAG_INPUT_TYPE, type);
  }

  private static HwInfo ask(BoundDevice device, int flags, int type) throws VfioException {
    synchronized (device.iommufd()) {
      device.iommufd().requireOpen();
      device.iommufd().require(device);
      return askOpen(device, flags, type);
    }
  }

  private static HwInfo askOpen(BoundDevice device, int flags, int type) throws VfioException {
    int room = LIKELY;
    while (true) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request = Request.of(arena, iommu_hw_info.LAYOUT);
        MemorySegment data = arena.allocate(room, Long.BYTES);
        iommu_hw_info.flags(request, flags);
        iommu_hw_info.dev_id(request, device.id());
        iommu_hw_info.data_len(request, room);
        iommu_hw_info.data_uptr(request, data.address());
        iommu_hw_info.in_data_type(request, type);
        int answer = device.iommufd().ioctl(Ioctl.IOMMU_GET_HW_INFO, request);
        if (answer < 0) {
          throw Answer.failure(
              Ioctl.IOMMU_GET_HW_INFO,
              device.toString(),
              answer,
              Answer.is(answer, Errno.ENOENT) ? "no IOMMU translates for it" : "");
        }
        int length = iommu_hw_info.data_len(request);
        if (length < 0 || length > MOST) {
          throw new VfioException(
              Ioctl.IOMMU_GET_HW_INFO.name(),
              device.toString(),
              null,
              "the kernel's reply claims " + Integer.toUnsignedString(length) + " bytes");
        }
        int pasidBits = Byte.toUnsignedInt(iommu_hw_info.out_max_pasid_log2(request));
        if (pasidBits >= Integer.SIZE) {
          throw Answer.impossible(
              Ioctl.IOMMU_GET_HW_INFO, device.toString(), "PASIDs of " + pasidBits + " bits");
        }
        if (length <= room) {
          byte[] bytes = data.asSlice(0, length).toArray(JAVA_BYTE);
          return new HwInfo(
              iommu_hw_info.out_capabilities(request),
              pasidBits,
              new HwData(iommu_hw_info.out_data_type(request), bytes));
        }
        room = length;
      }
    }
  }

  /**
   * Returns whether the IOMMU notes which pages devices write.
   *
   * @return whether page tables can be made with {@link HwptFlag#DIRTY_TRACKING}
   */
  public boolean dirtyTracking() {
    return (capabilities & iommufd_h.IOMMU_HW_CAP_DIRTY_TRACKING) != 0;
  }

  /**
   * Returns whether the device may ask for execute permission with a PASID.
   *
   * @return whether it has PASIDs, and their execute permission
   */
  public boolean pasidExecute() {
    return pasidBits > 0 && (capabilities & iommufd_h.IOMMU_HW_CAP_PCI_PASID_EXEC) != 0;
  }

  /**
   * Returns whether the device may ask for privileged access with a PASID.
   *
   * @return whether it has PASIDs, and their privileged mode
   */
  public boolean pasidPrivileged() {
    return pasidBits > 0 && (capabilities & iommufd_h.IOMMU_HW_CAP_PCI_PASID_PRIV) != 0;
  }

  /**
   * Returns whether the device surely does not use address translation services (ATS).
   *
   * @return true if it cannot; false if it may, or if the kernel is too old to say
   */
  public boolean atsNotSupported() {
    return (capabilities & iommufd_h.IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED) != 0;
  }
}
