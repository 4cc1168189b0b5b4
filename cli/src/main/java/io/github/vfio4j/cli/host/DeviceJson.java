package io.github.vfio4j.cli.host;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.cli.text.Json;
import io.github.vfio4j.cli.text.PciIds;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.PlatformDevice;

/** A device as every command's JSON has it. */
public final class DeviceJson {

  private DeviceJson() {}

  public static Json of(HostDevice device, PciIds ids) {
    Json json = Json.object().with("name", device.name());
    switch (device) {
      case PciDevice pci ->
          json.with("bus", "pci")
              .with("vendorId", "0x%04x".formatted(pci.vendorId()))
              .with("deviceId", "0x%04x".formatted(pci.deviceId()))
              .with("classCode", "0x%06x".formatted(pci.classCode()))
              .with("vendorName", ids.vendor(pci.vendorId()))
              .with("deviceName", ids.device(pci.vendorId(), pci.deviceId()))
              .with("className", ids.type(pci.classCode()));
      case MediatedDevice mediated ->
          json.with("bus", "mdev").with("type", mediated.type()).with("parent", mediated.parent());
      case PlatformDevice _ -> json.with("bus", "platform");
      default -> {}
    }
    return json.with("iommuGroup", device.iommuGroup())
        .with("driver", device.driver())
        .with("vfio", device.hasVfioDriver())
        .with("cdev", device.cdev().map(DeviceNode::path).map(String::valueOf));
  }
}
