package io.github.vfio4j.iommufd;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.opening.Admission;
import io.github.vfio4j.opening.Guard;
import io.github.vfio4j.opening.Host;
import java.util.List;
import java.util.Optional;

/**
 * What the IOMMU behind a device can do: what the kernel says of it, and what came of trying.
 *
 * @param hardware what the kernel says; empty where no IOMMU translates for the device, as for a
 *     mediated one or without an IOMMU
 * @param commandQueues NVIDIA's extension of an SMMUv3, where it has it
 * @param pageTables which page tables can be made; none where there is no IOMMU
 * @param granule the unit of mapping for DMA, in bytes; 0 where the device cannot do DMA
 * @param iovaRanges where DMA of this device can be mapped, in ascending order
 */
public record IommuSurvey(
    Optional<HwInfo> hardware,
    Optional<HwData> commandQueues,
    List<HwptProbe> pageTables,
    long granule,
    List<IovaRange> iovaRanges) {

  /** Copies the lists. */
  public IommuSurvey {
    pageTables = List.copyOf(pageTables);
    iovaRanges = List.copyOf(iovaRanges);
  }

  /**
   * Opens a device for a moment, which may reset it, and asks. One that no IOMMU guards is not
   * opened.
   *
   * @param device the device, as sysfs shows it
   * @return the answers
   * @throws DeviceNotBoundException if the device, or a neighbour in its group, is not bound to a
   *     VFIO driver
   * @throws UnsupportedByKernelException if this kernel cannot tell (Linux 6.6 was the first that
   *     could)
   * @throws NotPermittedException if this user may not open the device or {@code /dev/iommu}
   * @throws DeviceBusyException if the device is open already, here or elsewhere
   * @throws VfioException if the kernel refuses otherwise
   */
  public static IommuSurvey of(HostDevice device) throws VfioException {
    return of(Host.running(), device);
  }

  static IommuSurvey of(Host host, HostDevice device) throws VfioException {
    if (Guard.isMissing(host, device)) {
      return new IommuSurvey(Optional.empty(), Optional.empty(), List.of(), 0, List.of());
    }
    Admission.requireBound(host, device);
    if (device.cdev().isEmpty()) {
      throw new UnsupportedByKernelException(
          Ioctl.IOMMU_GET_HW_INFO.name(),
          device.name(),
          null,
          "this kernel cannot tell (Linux "
              + Ioctl.IOMMU_GET_HW_INFO.since()
              + " was the first that could, with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV)");
    }
    try (Iommufd iommufd = Iommufd.open(host)) {
      return of(iommufd.bind(device));
    }
  }

  private static IommuSurvey of(CdevDevice device) throws VfioException {
    Optional<HwInfo> hardware = hardware(device);
    List<HwptProbe> pageTables = hardware.isEmpty() ? List.of() : HwptProbe.of(device);
    Ioas ioas = device.iommufd().allocateIoas();
    device.attach(ioas); // the ranges are the device's only then
    return new IommuSurvey(
        hardware, commandQueues(device, hardware), pageTables, ioas.granule(), ioas.iovaRanges());
  }

  private static Optional<HwInfo> hardware(CdevDevice device) throws VfioException {
    try {
      return Optional.of(device.hwInfo());
    } catch (VfioException e) {
      if (e.errno().filter(Errno.ENOENT::equals).isPresent()) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static Optional<HwData> commandQueues(CdevDevice device, Optional<HwInfo> hardware)
      throws VfioException {
    if (hardware
        .filter(info -> info.data().type() == iommufd_h.IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
        .isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(HwInfo.of(device, iommufd_h.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV).data());
    } catch (UnsupportedByKernelException e) {
      return Optional.empty(); // an SMMUv3 without the extension
    }
  }
}
