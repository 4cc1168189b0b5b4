package io.github.vfio4j;

import io.github.vfio4j.sysfs.HostDevice;

/**
 * Which interface a device was opened through, and why that one.
 *
 * @param backend the interface
 * @param reason why, in words
 */
public record BackendChoice(Backend backend, String reason) {

  /** Takes cdev+iommufd where this kernel has it for the device, and the legacy interface else. */
  static BackendChoice automatic(Host host, HostDevice device) throws VfioException {
    if (host.sysfs().iommufd().isEmpty()) {
      return new BackendChoice(
          Backend.CONTAINER,
          "this kernel has no /dev/iommu (Linux 6.2 with CONFIG_IOMMUFD has it)");
    }
    if (device.cdev().isEmpty()) {
      return new BackendChoice(
          Backend.CONTAINER,
          device.name()
              + " has no node in /dev/vfio/devices (Linux 6.6 with CONFIG_VFIO_DEVICE_CDEV makes"
              + " one for a device bound to a VFIO driver)");
    }
    return new BackendChoice(
        Backend.IOMMUFD, "this kernel has /dev/iommu and " + device.cdev().orElseThrow().path());
  }

  static BackendChoice asked(Backend backend) {
    return new BackendChoice(backend, "the caller asked for it");
  }
}
