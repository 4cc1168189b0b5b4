package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * A PCI function of the host, as sysfs showed it.
 *
 * @param address where it sits
 * @param path its own directory in sysfs, all links resolved
 * @param vendorId its vendor, 16 bits
 * @param deviceId which of the vendor's devices it is, 16 bits
 * @param subsystemVendorId the maker of the card, 16 bits
 * @param subsystemId which of the maker's cards it is, 16 bits
 * @param classCode base class, subclass and programming interface, 24 bits
 * @param revision the device's revision, 8 bits
 * @param driver the driver it is bound to, if any
 * @param iommuGroup the number of its IOMMU group; empty where no IOMMU guards it
 * @param cdev its node under {@code /dev/vfio/devices}, if it has one
 * @param resetMethods how the kernel can reset it, best first: {@code flr}, {@code pm}, {@code bus}
 *     and others; none when it cannot, and on kernels before 5.15
 * @param numaNode the memory node it is nearest to, where the machine has several
 * @param vfToken the token that it is to be opened with, see {@link #withVfToken}; sysfs has none
 */
public record PciDevice(
    PciAddress address,
    Path path,
    int vendorId,
    int deviceId,
    int subsystemVendorId,
    int subsystemId,
    int classCode,
    int revision,
    Optional<String> driver,
    OptionalInt iommuGroup,
    Optional<DeviceNode> cdev,
    List<String> resetMethods,
    OptionalInt numaNode,
    Optional<UUID> vfToken)
    implements HostDevice {

  private static final int PCI_TO_PCI_BRIDGE = 0x0604;
  private static final int CARDBUS_BRIDGE = 0x0607;
  private static final int SEMI_TRANSPARENT_BRIDGE = 0x0609;

  /** Copies the list. */
  public PciDevice {
    resetMethods = List.copyOf(resetMethods);
  }

  static PciDevice read(Sysfs sysfs, PciAddress address) throws VfioException {
    Directory device = sysfs.deviceDirectory("pci", address.toString());
    PciDevice snapshot =
        new PciDevice(
            address,
            device.path(),
            device.hex("vendor"),
            device.hex("device"),
            device.hex("subsystem_vendor"),
            device.hex("subsystem_device"),
            device.hex("class"),
            device.hex("revision"),
            device.link("driver"),
            device.linkedNumber("iommu_group"),
            sysfs.cdev(device),
            device.words("reset_method"),
            device.number("numa_node"),
            Optional.empty());
    device.checkStillThere();
    return snapshot;
  }

  @Override
  public String name() {
    return address.toString();
  }

  /**
   * Reads its configuration space, or as much of it as this user may see: root sees all, others the
   * header of 64 bytes. {@link io.github.vfio4j.config.ConfigImage} takes it apart.
   *
   * @return the bytes; all ones where the device does not answer
   * @throws NoSuchDeviceException if it is gone
   * @throws VfioException if sysfs cannot be read
   */
  public byte[] config() throws VfioException {
    Directory directory = new Directory(path, name());
    Optional<byte[]> bytes = directory.bytes("config");
    if (bytes.isEmpty()) {
      directory.checkStillThere();
      throw new VfioException("read config", name(), null, "sysfs does not have it");
    }
    return bytes.get();
  }

  /**
   * Reads where its base address registers are, by the kernel's reckoning: six of them, the
   * expansion ROM, and what else this kind of device has.
   *
   * @return the resources in the kernel's order; none if sysfs does not have them
   * @throws NoSuchDeviceException if it is gone
   * @throws VfioException if sysfs cannot be read, or has something else there
   */
  public List<PciResource> resources() throws VfioException {
    Directory directory = new Directory(path, name());
    Optional<String> text = directory.find("resource");
    if (text.isEmpty()) {
      directory.checkStillThere();
    }
    return PciResource.parse(name(), text.orElse(""));
  }

  /**
   * {@return whether its driver hands it to user programs: one whose name says so, or any that has
   * made a VFIO device of it}
   */
  @Override
  public boolean hasVfioDriver() {
    return VfioDrivers.handsOut(driver, cdev.isPresent());
  }

  /**
   * Returns this function with the token that it is to be opened with, in whatever way that is
   * done.
   *
   * <p>A virtual function of a physical one that a user program has needs that program's token
   * ({@link io.github.vfio4j.pci.VfToken#set}). A physical function whose virtual ones are in use
   * needs the token that they were opened with; one whose virtual ones are not gets a token by
   * being opened with it. Any other function is refused with one. Kernels before 6.17 take it on
   * the legacy interface only.
   *
   * @param token the token
   * @return the same function, to be opened with it
   */
  public PciDevice withVfToken(UUID token) {
    return new PciDevice(
        address,
        path,
        vendorId,
        deviceId,
        subsystemVendorId,
        subsystemId,
        classCode,
        revision,
        driver,
        iommuGroup,
        cdev,
        resetMethods,
        numaNode,
        Optional.of(token));
  }

  /** Returns which function it is, its kind and its driver; the token is nobody's business. */
  @Override
  public String toString() {
    return "%s (%04x:%04x, %s%s)"
        .formatted(
            address,
            vendorId,
            deviceId,
            driver.orElse("no driver"),
            vfToken.isPresent() ? ", with a VF token" : "");
  }

  /** {@return whether it leads to another bus; VFIO takes the devices behind, never the bridge} */
  public boolean isBridge() {
    int kind = classCode >>> 8;
    return kind == PCI_TO_PCI_BRIDGE || kind == CARDBUS_BRIDGE || kind == SEMI_TRANSPARENT_BRIDGE;
  }
}
