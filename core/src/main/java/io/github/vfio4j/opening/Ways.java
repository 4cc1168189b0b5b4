package io.github.vfio4j.opening;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.IommuGroup;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Judges the ways to one device: whether each is whole, for this user, here and now.
 *
 * <p>Opening, the automatic choice and every diagnosis go by it. What is harmless to try is tried:
 * a node is opened rather than its permissions read. Nothing is asked of a device.
 */
public final class Ways {
  private final HostFiles files;
  private final HostDevice device;
  private final Optional<IommuGroup> group;
  private final Isolation isolation;
  private final List<Obstacle> common;

  private Ways(HostFiles files, HostDevice device, Optional<IommuGroup> group)
      throws VfioException {
    this.files = files;
    this.device = device;
    this.group = group;
    this.isolation = Isolation.of(files);
    this.common = common();
  }

  /**
   * Looks at a device.
   *
   * @throws VfioException if sysfs cannot be read
   */
  public static Ways to(HostFiles files, HostDevice device) throws VfioException {
    return new Ways(
        files,
        device,
        device.iommuGroup().isEmpty()
            ? Optional.empty()
            : Optional.of(files.sysfs().group(device.iommuGroup().getAsInt())));
  }

  /** Returns the device's group as it was looked at, if it is in one. */
  public Optional<IommuGroup> group() {
    return group;
  }

  /** Judges the way through the device's own node and iommufd. */
  public Way iommufd() throws VfioException {
    Optional<DeviceNode> iommu = files.sysfs().iommufd();
    List<Obstacle> obstacles = new ArrayList<>(common);
    if (iommu.isEmpty()) {
      obstacles.add(
          new Obstacle(
              "this kernel has no /dev/iommu (Linux 6.2 with CONFIG_IOMMUFD has it)",
              "modprobe iommufd, or use a kernel built with CONFIG_IOMMUFD"));
    } else {
      Nodes.inTheWay(files, iommu.get()).ifPresent(obstacles::add);
    }
    if (device.hasVfioDriver() && device.cdev().isEmpty()) {
      obstacles.add(
          new Obstacle(
              device.name()
                  + " has no node in /dev/vfio/devices (Linux 6.6 with CONFIG_VFIO_DEVICE_CDEV makes"
                  + " one for a device bound to a VFIO driver)",
              "use a kernel built with CONFIG_VFIO_DEVICE_CDEV"));
    }
    device.cdev().flatMap(node -> Nodes.inTheWay(files, node)).ifPresent(obstacles::add);
    Token.inTheWayOnNode(files, device).ifPresent(obstacles::add);
    interrupts(HostFiles.IOMMUFD).ifPresent(obstacles::add);
    return new Way(
        Backend.IOMMUFD,
        "this kernel has /dev/iommu and "
            + device.cdev().map(DeviceNode::path).map(String::valueOf).orElse("no node"),
        obstacles);
  }

  /** Judges the way through the group and a container. */
  public Way container() throws VfioException {
    Optional<DeviceNode> container = files.sysfs().container();
    List<Obstacle> obstacles = new ArrayList<>(common);
    if (container.isEmpty()) {
      obstacles.add(
          new Obstacle(
              "this kernel has no VFIO containers, or the module vfio is not loaded",
              "modprobe vfio_iommu_type1, or use a kernel built with CONFIG_VFIO_CONTAINER"));
    } else {
      Nodes.inTheWay(files, container.get()).ifPresent(obstacles::add);
    }
    if (device.hasVfioDriver()) {
      Optional<DeviceNode> node = group.flatMap(IommuGroup::node);
      if (node.isEmpty()) {
        obstacles.add(
            new Obstacle(
                group.isEmpty()
                    ? device.name() + " is in no IOMMU group"
                    : "group " + group.get().number() + " has no node in /dev/vfio",
                "use a kernel built with CONFIG_VFIO_GROUP"));
      } else {
        Nodes.inTheWay(files, node.get()).ifPresent(obstacles::add);
      }
    }
    interrupts(HostFiles.CONTAINER).ifPresent(obstacles::add);
    return new Way(
        Backend.CONTAINER,
        "this kernel has /dev/vfio/vfio and "
            + group
                .flatMap(IommuGroup::node)
                .map(DeviceNode::path)
                .map(String::valueOf)
                .orElse("no group"),
        obstacles);
  }

  /** What stands in both ways. */
  private List<Obstacle> common() throws VfioException {
    List<Obstacle> obstacles = new ArrayList<>();
    if (device instanceof PciDevice pci && pci.isBridge()) {
      obstacles.add(
          new Obstacle("it is a bridge, which VFIO never takes", "open the devices behind it"));
      return obstacles;
    }
    Admission.unbound(files.sysfs(), device).ifPresent(obstacles::add);
    if (Guard.isMissing(device, group)) {
      obstacles.add(new Obstacle(Guard.MISSING, Guard.FIX));
    }
    neighbours().ifPresent(obstacles::add);
    if (device.hasVfioDriver()) {
      Token.inTheWay(files, device).ifPresent(obstacles::add);
      Use.inTheWay(files, device, group).ifPresent(obstacles::add);
    }
    return obstacles;
  }

  private Optional<Obstacle> neighbours() throws VfioException {
    if (device instanceof MediatedDevice) {
      return Optional.empty();
    }
    return group.isEmpty()
        ? Optional.empty()
        : Neighbours.inTheWay(files, device, group.get())
            .map(shared -> new Obstacle("its group is " + shared.seen(), shared.fix()));
  }

  private Optional<Obstacle> interrupts(String module) {
    boolean needed = !(device instanceof MediatedDevice) && device.hasVfioDriver();
    boolean allowed = !files.showsModules() || files.allowsUnsafeInterrupts(module);
    if (!needed || isolation != Isolation.NO || allowed) {
      return Optional.empty();
    }
    return Optional.of(
        new Obstacle(
            "interrupts are not isolated here, so a device could forge them",
            "turn interrupt remapping on in the firmware, or set "
                + module
                + ".allow_unsafe_interrupts=1"));
  }
}
