package io.github.vfio4j.cli.show;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.CommandHost;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.diagnosis.Finding;
import io.github.vfio4j.sysfs.IommuGroup;
import java.util.Optional;

/**
 * All that can be told of a device: always what sysfs has, and the rest if it can be opened.
 *
 * @param device the device
 * @param group its IOMMU group, if it is in one
 * @param config its configuration space
 * @param opened what the kernel says once it is open
 * @param obstacle why it was not opened
 */
public record ShownDevice(
    HostDevice device,
    Optional<IommuGroup> group,
    ShownConfig config,
    Optional<OpenedDevice> opened,
    Optional<String> obstacle) {

  static ShownDevice of(CommandHost host, HostDevice device, boolean open) throws VfioException {
    Optional<IommuGroup> group =
        device.iommuGroup().isEmpty()
            ? Optional.empty()
            : Optional.of(host.sysfs().group(device.iommuGroup().getAsInt()));
    Optional<OpenedDevice> opened = Optional.empty();
    Optional<String> obstacle = Optional.empty();
    if (!open) {
      obstacle = Optional.of("not asked for");
    } else if (!device.hasVfioDriver()) {
      Finding first = Diagnosis.obstacle(host.sysfs(), device).orElseThrow();
      obstacle = Optional.of(first.seen() + first.fix().map(fix -> "; " + fix).orElse(""));
    } else {
      try {
        opened = Optional.of(host.opener().open(device));
      } catch (VfioException e) {
        obstacle = Optional.of(String.valueOf(e.getMessage()));
      }
    }
    return new ShownDevice(device, group, ShownConfig.of(device, opened), opened, obstacle);
  }
}
