package io.github.vfio4j.cli.show;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.config.ConfigHeader;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.config.PciCapability;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.List;
import java.util.Optional;

/**
 * What can be told of a device's configuration space.
 *
 * @param header the header, if it is a PCI device that answers
 * @param capabilities the capabilities, as far as they could be read
 * @param obstacle why not all could be read
 */
public record ShownConfig(
    Optional<ConfigHeader> header, List<PciCapability> capabilities, Optional<String> obstacle) {

  /**
   * Takes what sysfs has, or what VFIO shows of an open device, where sysfs shows only a header.
   */
  static ShownConfig of(HostDevice device, Optional<OpenedDevice> opened) {
    Optional<ConfigImage> byVfio = opened.flatMap(OpenedDevice::config);
    if (!(device instanceof PciDevice pci)) {
      return byVfio.map(ShownConfig::of).orElse(nothing(Optional.empty()));
    }
    try {
      ConfigImage inSysfs = ConfigImage.of(pci);
      return of(inSysfs.showsCapabilities() ? inSysfs : byVfio.orElse(inSysfs));
    } catch (VfioException e) {
      return byVfio
          .map(ShownConfig::of)
          .orElse(nothing(Optional.of(String.valueOf(e.getMessage()))));
    }
  }

  private static ShownConfig of(ConfigImage image) {
    Optional<ConfigHeader> header = Optional.of(image.header());
    try {
      return new ShownConfig(header, image.capabilities(), Optional.empty());
    } catch (VfioException e) {
      return new ShownConfig(header, List.of(), Optional.of(String.valueOf(e.getMessage())));
    }
  }

  private static ShownConfig nothing(Optional<String> obstacle) {
    return new ShownConfig(Optional.empty(), List.of(), obstacle);
  }
}
