package io.github.vfio4j.diagnosis;

import static io.github.vfio4j.diagnosis.Finding.failed;
import static io.github.vfio4j.diagnosis.Finding.ok;
import static io.github.vfio4j.diagnosis.Finding.skipped;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.opening.Guard;
import io.github.vfio4j.opening.HostFiles;
import io.github.vfio4j.opening.Neighbours;
import io.github.vfio4j.opening.Obstacle;
import io.github.vfio4j.sysfs.BindAdvice;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The conditions for opening one device, on a host that is fit for it. */
final class DeviceChecks {

  private final HostFiles files;
  private final HostDevice device;
  private final Optional<IommuGroup> group;

  DeviceChecks(HostFiles files, HostDevice device, Optional<IommuGroup> group) {
    this.files = files;
    this.device = device;
    this.group = group;
  }

  List<Finding> findings() throws VfioException {
    List<Finding> findings = new ArrayList<>();
    findings.add(driver());
    findings.add(viability());
    findings.addAll(nodes());
    return findings;
  }

  private Finding driver() throws VfioException {
    String check = "driver";
    if (device instanceof PciDevice pci && pci.isBridge()) {
      return failed(check, "it is a bridge, which VFIO never takes", "open the devices behind it");
    }
    if (device.hasVfioDriver()) {
      return ok(check, device.driver().orElseThrow());
    }
    return failed(
        check,
        device.driver().map(driver -> driver + ", the kernel's own use").orElse("none"),
        BindAdvice.of(files.sysfs(), device));
  }

  private Finding viability() throws VfioException {
    String check = "IOMMU group";
    if (device instanceof MediatedDevice mediated) {
      return ok(check, "none needed: the driver of " + mediated.parent() + " guards its DMA");
    }
    if (group.isEmpty() || Guard.isMissing(device, group)) {
      String why =
          files.allowsNoIommu()
              ? "none: VFIO's no-IOMMU mode lets the device reach all of the host's memory"
              : "none: no IOMMU guards the device";
      return failed(check, why, "turn the IOMMU on, see above");
    }
    int number = group.get().number();
    Optional<Obstacle> shared = Neighbours.inTheWay(files, device, group.get());
    if (shared.isEmpty()) {
      int others = group.get().members().size() - 1;
      return ok(check, number + (others == 0 ? ", alone" : ", with no neighbour in the way"));
    }
    return failed(check, number + " is " + shared.get().seen(), shared.get().fix());
  }

  private List<Finding> nodes() {
    String cdevCheck = "device node";
    String groupCheck = "group node";
    if (!device.hasVfioDriver()) {
      return List.of(
          skipped(cdevCheck, "there is none before the device is bound"),
          skipped(groupCheck, "there is none before the device is bound"));
    }
    NodeCheck cdev = NodeCheck.of(cdevCheck, files, device.cdev());
    NodeCheck legacy = NodeCheck.of(groupCheck, files, group.flatMap(IommuGroup::node));
    return List.of(
        cdev.finding(legacy, "use a kernel built with CONFIG_VFIO_DEVICE_CDEV"),
        legacy.finding(cdev, "use a kernel built with CONFIG_VFIO_GROUP"));
  }
}
