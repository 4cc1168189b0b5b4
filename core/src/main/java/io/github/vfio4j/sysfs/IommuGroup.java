package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * An IOMMU group: the smallest set of devices that the IOMMU can tell from all others. A user
 * program gets all of its devices or none.
 *
 * @param number the kernel's number for it, until the next boot
 * @param type how the kernel translates for it now: {@code DMA}, {@code DMA-FQ}, {@code identity},
 *     {@code blocked} or a newer word; empty where the kernel does not say
 * @param noIommu whether VFIO made it for a device that no IOMMU guards: one that is mediated, or
 *     one bound in VFIO's unsafe no-IOMMU mode
 * @param members its devices, by name
 * @param reservedRegions the addresses that it cannot use, lowest first
 * @param node its node {@code /dev/vfio/NUMBER}; empty while no member is bound to a VFIO driver,
 *     and on kernels without VFIO groups
 */
public record IommuGroup(
    int number,
    Optional<String> type,
    boolean noIommu,
    List<Member> members,
    List<ReservedRegion> reservedRegions,
    Optional<DeviceNode> node) {

  /** Copies the lists. */
  public IommuGroup {
    members = List.copyOf(members);
    reservedRegions = List.copyOf(reservedRegions);
  }

  static IommuGroup read(Sysfs sysfs, int number) throws VfioException {
    String object = "IOMMU group " + number;
    Directory group = new Directory(sysfs.groupsDirectory().resolve("" + number), object);
    Directory nodes = new Directory(sysfs.sys().resolve("class/vfio"), object);
    Optional<DeviceNode> unguarded = node(sysfs, nodes, "noiommu-" + number);
    IommuGroup snapshot =
        new IommuGroup(
            number,
            group.find("type"),
            group.find("name").equals(Optional.of("vfio-noiommu")),
            members(new Directory(group.path().resolve("devices"), object)),
            reservedRegions(group),
            unguarded.isPresent() ? unguarded : node(sysfs, nodes, "" + number));
    group.checkStillThere();
    return snapshot;
  }

  private static Optional<DeviceNode> node(Sysfs sysfs, Directory nodes, String name)
      throws VfioException {
    return nodes.node(name, sysfs.dev().resolve("vfio").resolve(name));
  }

  private static List<Member> members(Directory devices) throws VfioException {
    List<Member> members = new ArrayList<>();
    for (String name : devices.names()) {
      Directory device = new Directory(devices.path().resolve(name), name);
      Optional<String> driver = device.link("driver");
      boolean vfio = VfioDrivers.handsOut(driver, !device.tryNames("vfio-dev").isEmpty());
      members.add(new Member(name, driver, vfio));
    }
    return members;
  }

  private static List<ReservedRegion> reservedRegions(Directory group) throws VfioException {
    List<ReservedRegion> regions = new ArrayList<>();
    for (String line : group.find("reserved_regions").orElse("").lines().toList()) {
      try {
        regions.add(ReservedRegion.parse(line));
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        throw FileFailure.malformed(group.object(), "reserved_regions", line, e);
      }
    }
    regions.sort(Comparator.comparing(ReservedRegion::first, Long::compareUnsigned));
    return regions;
  }

  /**
   * A device of a group, of whatever bus.
   *
   * @param name its PCI address, or what else its bus calls it
   * @param driver its driver, if it has one
   * @param vfio whether that is one that hands it to user programs
   */
  public record Member(String name, Optional<String> driver, boolean vfio) {

    /**
     * Returns whether this device keeps the group from user programs. It does when its driver does
     * DMA for the kernel; a VFIO driver, {@code pci-stub} and the driver of PCI bridges do not.
     *
     * @return whether it must be unbound from its driver first
     */
    public boolean blocksGroup() {
      return driver.isPresent()
          && !vfio
          && !driver.get().equals("pci-stub")
          && !driver.get().equals("pcieport");
    }
  }

  /** {@return the members that keep the group from user programs; none when it is viable} */
  public List<Member> blockers() {
    return members.stream().filter(Member::blocksGroup).toList();
  }
}
