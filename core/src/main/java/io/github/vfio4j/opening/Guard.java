package io.github.vfio4j.opening;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.MediatedDevice;
import java.util.Optional;

/** What keeps a device's DMA to the memory that is mapped for it. */
public final class Guard {
  static final String MISSING = "no IOMMU guards it, so its DMA would reach any memory";
  static final String FIX = "turn the IOMMU on, in the firmware and in the kernel";

  private Guard() {}

  /**
   * Returns whether nothing guards the host's memory from a device, whose IOVAs would be physical
   * addresses. The group of a mediated device looks the same, but its parent's driver guards it.
   *
   * @param group the device's group, if it is in one
   */
  public static boolean isMissing(HostDevice device, Optional<IommuGroup> group) {
    boolean unguardedNode =
        device.cdev().filter(node -> node.name().startsWith("noiommu-")).isPresent();
    return unguardedNode
        || (!(device instanceof MediatedDevice) && group.filter(it -> !it.noIommu()).isEmpty());
  }

  /** Returns whether nothing guards the host's memory from a device, as sysfs shows it now. */
  public static boolean isMissing(Host host, HostDevice device) throws VfioException {
    return isMissing(
        device,
        device.iommuGroup().isEmpty()
            ? Optional.empty()
            : Optional.of(host.sysfs().group(device.iommuGroup().getAsInt())));
  }
}
