package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * The host's devices and IOMMU groups, read from sysfs at each call.
 *
 * <p>No native call is made to read. Instances hold nothing but a path and are safe for use by many
 * threads.
 */
public final class Sysfs {

  private static final Pattern UUID_FORM =
      Pattern.compile("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}");

  /** How the links to virtual functions begin, which a number follows. */
  private static final String VIRTUAL_FUNCTION = "virtfn";

  private static final Duration PATIENCE = Duration.ofSeconds(2);
  private static final Duration PATIENCE_WITH_DRIVERS = Duration.ofSeconds(30);

  private final Path root;
  private final KernelFiles files;
  private final Duration patience;

  Sysfs(Path root, KernelFiles files) {
    this(root, files, PATIENCE);
  }

  private Sysfs(Path root, KernelFiles files, Duration patience) {
    this.root = root;
    this.files = files;
    this.patience = patience;
  }

  /** {@return the sysfs of this host, at {@code /sys}} */
  public static Sysfs host() {
    return at(Path.of("/"));
  }

  /**
   * Reads a host whose files lie elsewhere, as a container sees them or a test makes them.
   *
   * @param root the directory that has {@code sys} and {@code dev} in it, and {@code proc}
   * @return the sysfs there
   */
  public static Sysfs at(Path root) {
    return new Sysfs(root, KernelFiles.HOST);
  }

  /**
   * Returns the same host, with which the kernel may take longer or less long. Unbinding a device
   * that somebody has open, or removing it, takes the kernel until that ends, and it cannot be
   * stopped; a call that asks for it fails after this time, and says who that is. Drivers are given
   * at least 30 seconds to take a device or let go of one.
   *
   * @param patience how long a call waits for the kernel; at first two seconds
   * @return the sysfs with this patience
   * @throws IllegalArgumentException if the time is negative
   */
  public Sysfs withPatience(Duration patience) {
    if (patience.isNegative()) {
      throw new IllegalArgumentException("patience must not be negative: " + patience);
    }
    return new Sysfs(root, files, patience);
  }

  Duration patience() {
    return patience;
  }

  /** Some load firmware, or have a queue of requests to finish. */
  Duration patienceWithDrivers() {
    return patience.compareTo(PATIENCE_WITH_DRIVERS) < 0 ? PATIENCE_WITH_DRIVERS : patience;
  }

  /** {@return the directory that has {@code sys}, {@code dev} and {@code proc} in it} */
  public Path root() {
    return root;
  }

  /**
   * Lists the devices that VFIO could hand out: PCI functions by address, then mediated devices,
   * then those platform devices that a VFIO driver has. One that goes away meanwhile is left out.
   *
   * @return the devices; none where the host has no such bus
   * @throws VfioException if sysfs cannot be read
   */
  public List<HostDevice> devices() throws VfioException {
    List<HostDevice> devices = new ArrayList<>();
    devices.addAll(pciDevices());
    devices.addAll(mediatedDevices());
    platformDevices().stream().filter(HostDevice::hasVfioDriver).forEach(devices::add);
    return devices;
  }

  /**
   * Lists the PCI functions by address. One that goes away meanwhile is left out.
   *
   * @return the functions; none on a host without PCI
   * @throws VfioException if sysfs cannot be read
   */
  public List<PciDevice> pciDevices() throws VfioException {
    List<PciDevice> devices =
        readAll(devicesOf("pci"), name -> PciDevice.read(this, PciAddress.of(name)));
    devices.sort(Comparator.comparing(PciDevice::address));
    return devices;
  }

  /**
   * Lists the mediated devices by UUID. One that goes away meanwhile is left out.
   *
   * @return the devices; none on a host without mediated devices
   * @throws VfioException if sysfs cannot be read
   */
  public List<MediatedDevice> mediatedDevices() throws VfioException {
    return readAll(devicesOf("mdev"), name -> MediatedDevice.read(this, UUID.fromString(name)));
  }

  /**
   * Lists the platform devices by name, of which any host has many. One that goes away meanwhile is
   * left out.
   *
   * @return the devices
   * @throws VfioException if sysfs cannot be read
   */
  public List<PlatformDevice> platformDevices() throws VfioException {
    return readAll(devicesOf(PlatformDevice.BUS), name -> PlatformDevice.read(this, name));
  }

  private interface Reader<T> {
    T read(String name) throws VfioException;
  }

  private static <T> List<T> readAll(Directory directory, Reader<T> reader) throws VfioException {
    List<T> all = new ArrayList<>();
    for (String name : directory.names()) {
      try {
        all.add(reader.read(name));
      } catch (NoSuchDeviceException e) {
        // it has gone since the directory was listed
      } catch (IllegalArgumentException e) {
        throw FileFailure.malformed(directory.object(), "name", name, e);
      }
    }
    return all;
  }

  /**
   * Reads one PCI function.
   *
   * @param address where it sits
   * @return the function as it is now
   * @throws NoSuchDeviceException if there is none, or it goes away meanwhile
   * @throws VfioException if sysfs cannot be read
   */
  public PciDevice device(PciAddress address) throws VfioException {
    return PciDevice.read(this, address);
  }

  /**
   * Reads which driver alone may bind a function. It is not read with the rest of it: some kernels
   * keep who reads it waiting while the function is bound or unbound.
   *
   * @param device the function
   * @return the driver, if there is such a rule
   * @throws DeviceBusyException if the kernel keeps it back for longer than the {@linkplain
   *     #withPatience patience} of this sysfs
   * @throws NoSuchDeviceException if the function has gone
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<String> driverOverride(PciDevice device) throws VfioException {
    Directory directory = new Directory(device.path(), device.name());
    Optional<Optional<String>> read =
        Bounded.call(patience, () -> directory.find("driver_override"));
    if (read.isEmpty()) {
      throw new DeviceBusyException(
          "read driver_override",
          device.name(),
          null,
          "the kernel is binding or unbinding it; " + DeviceHolder.of(this, device).describe());
    }
    directory.checkStillThere();
    return read.get().filter(driver -> !driver.equals("(null)"));
  }

  /**
   * Finds what the running system would lose if a device were taken from it: mounted file systems,
   * swap space and volumes on its disks, and network interfaces that are up or that routes lead to.
   *
   * @param device the device
   * @return each in words, such as {@code / (ext4 on nvme0n1p2)}; none if nothing is known
   * @throws VfioException if it cannot be found out
   */
  public List<String> uses(HostDevice device) throws VfioException {
    return SystemUses.of(this, device.path());
  }

  /**
   * Reads one mediated device.
   *
   * @param uuid its name
   * @return the device as it is now
   * @throws NoSuchDeviceException if there is none, or it goes away meanwhile
   * @throws VfioException if sysfs cannot be read
   */
  public MediatedDevice device(UUID uuid) throws VfioException {
    return MediatedDevice.read(this, uuid);
  }

  /**
   * Reads the device of a name.
   *
   * @param name a PCI address, with or without a domain, the UUID of a mediated device, or the name
   *     of a platform device
   * @return the device as it is now
   * @throws IllegalArgumentException if the name has not the form of the first two, and no platform
   *     device is called so
   * @throws NoSuchDeviceException if there is none, or it goes away meanwhile
   * @throws VfioException if sysfs cannot be read
   */
  public HostDevice device(String name) throws VfioException {
    if (UUID_FORM.matcher(name).matches()) {
      return device(UUID.fromString(name));
    }
    PciAddress address;
    try {
      address = PciAddress.of(name);
    } catch (IllegalArgumentException e) {
      if (devicesOf(PlatformDevice.BUS).names().contains(name)) {
        return PlatformDevice.read(this, name);
      }
      throw e;
    }
    return device(address);
  }

  /**
   * Finds the device of a path.
   *
   * @param path its directory in sysfs or a link to it, or its node in {@code /dev/vfio/devices}
   * @return the device as it is now
   * @throws NoSuchDeviceException if there is none, or it is on another bus than that of PCI, of
   *     mediated devices or of platform devices
   * @throws VfioException if sysfs cannot be read
   */
  public HostDevice deviceAt(Path path) throws VfioException {
    return path.startsWith(dev()) ? deviceOf(numberOf(path)) : deviceIn(path);
  }

  private DeviceNumber numberOf(Path node) throws VfioException {
    try {
      return files
          .number(node)
          .orElseThrow(
              () ->
                  new NoSuchDeviceException(
                      "look up", node.toString(), null, "no device has this node now"));
    } catch (VfioException e) {
      throw e;
    } catch (IOException e) {
      throw FileFailure.reading("look up", node.toString(), e);
    }
  }

  private HostDevice deviceIn(Path directory) throws VfioException {
    try {
      HostDevice device = device(String.valueOf(directory.toRealPath().getFileName()));
      if (!Files.isSameFile(device.path(), directory)) {
        throw new IllegalArgumentException(directory + " only has the name of a device");
      }
      return device;
    } catch (VfioException e) {
      throw e;
    } catch (IOException e) {
      throw FileFailure.reading("look up", directory.toString(), e);
    } catch (IllegalArgumentException e) {
      VfioException failure =
          new NoSuchDeviceException(
              "look up",
              directory.toString(),
              null,
              "it is not the directory of a PCI, mediated or platform device");
      failure.initCause(e);
      throw failure;
    }
  }

  /**
   * Finds the device that a VFIO device node belongs to, whatever the node is called.
   *
   * @param number the node's number, as {@code fstat} tells it of an open file
   * @return the device as it is now
   * @throws NoSuchDeviceException if the number is not that of a VFIO device
   * @throws VfioException if sysfs cannot be read
   */
  public HostDevice deviceOf(DeviceNumber number) throws VfioException {
    String object = "device number " + number;
    Directory node = Directory.of(sys().resolve("dev/char").resolve(number.toString()), object);
    Path kind = node.path().getParent();
    if (kind != null && kind.endsWith("vfio")) {
      throw new NoSuchDeviceException(
          "look up",
          object,
          null,
          "it is not that of a VFIO device, but of a group: open a device of the group");
    }
    if (kind == null || !kind.endsWith("vfio-dev")) {
      throw new NoSuchDeviceException(
          "look up", object, null, "it is not that of a VFIO device: " + node.path());
    }
    return deviceIn(kind.resolve(".."));
  }

  /**
   * Finds the node of iommufd.
   *
   * @return {@code /dev/iommu}; empty where this kernel has no iommufd or has not loaded it
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<DeviceNode> iommufd() throws VfioException {
    return new Directory(sys().resolve("class/misc"), "iommufd")
        .node("iommu", dev().resolve("iommu"));
  }

  /**
   * Finds the node of VFIO's containers.
   *
   * @return {@code /dev/vfio/vfio}; empty where this kernel has none or has not loaded it
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<DeviceNode> container() throws VfioException {
    return new Directory(sys().resolve("class/misc"), "vfio")
        .node("vfio", dev().resolve("vfio/vfio"));
  }

  /**
   * Compares a node with what the kernel has announced.
   *
   * @param node an announced node
   * @return whether what is there has its number
   */
  public boolean isNode(DeviceNode node) {
    try {
      return files.number(node.path()).equals(Optional.of(node.number()));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Returns whether a user program has a device open, as far as sysfs tells: it does of PCI
   * functions.
   *
   * @param device the device, as it was read from here
   * @return whether it is bound to a VFIO driver, and enabled
   * @throws VfioException if sysfs cannot be read
   */
  public boolean isOpen(HostDevice device) throws VfioException {
    return device.hasVfioDriver()
        && device.driver().filter(driver -> driver.contains("vfio")).isPresent()
        && new Directory(device.path(), device.name()).number("enable").orElse(0) > 0;
  }

  /**
   * Returns who has a device open.
   *
   * @param device the device, as it was read from here
   * @return the process, or words for one that this user cannot see; empty where nobody has it open
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<String> holder(HostDevice device) throws VfioException {
    if (!isOpen(device)) {
      return Optional.empty();
    }
    return DeviceHolder.of(this, device)
        .find()
        .or(() -> Optional.of("a process that this user cannot see"));
  }

  /**
   * Returns who has a node of a device open, or the group's. It is looked for in all processes,
   * which takes time.
   *
   * @param device the device, as it was read from here
   * @return the process; empty where this user sees none
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<String> holderOfNodes(HostDevice device) throws VfioException {
    return DeviceHolder.of(this, device).findSurely();
  }

  /**
   * Finds the physical function behind a virtual one.
   *
   * @param device a function
   * @return its physical function; empty where it is no virtual one
   * @throws VfioException if sysfs cannot be read
   */
  public Optional<PciDevice> physicalFunction(PciDevice device) throws VfioException {
    Optional<String> name = new Directory(device.path(), device.name()).link("physfn");
    return name.isEmpty() ? Optional.empty() : Optional.of(device(PciAddress.of(name.get())));
  }

  /**
   * Returns how many virtual functions a function can have.
   *
   * @param device a function
   * @return the number; 0 of one that is no physical function with SR-IOV, and on kernels without
   *     it
   * @throws VfioException if sysfs cannot be read
   */
  public int virtualFunctionLimit(PciDevice device) throws VfioException {
    return new Directory(device.path(), device.name()).number("sriov_totalvfs").orElse(0);
  }

  /**
   * Finds the virtual functions of a physical one. {@link Sriov} makes them.
   *
   * @param device a function
   * @return its virtual functions by number; none where it has none
   * @throws VfioException if sysfs cannot be read
   */
  public List<PciDevice> virtualFunctions(PciDevice device) throws VfioException {
    Directory directory = new Directory(device.path(), device.name());
    List<String> links =
        directory.names().stream()
            .filter(name -> name.startsWith(VIRTUAL_FUNCTION))
            .sorted(Comparator.comparingInt(String::length).thenComparing(name -> name))
            .toList();
    List<PciDevice> functions = new ArrayList<>();
    for (String link : links) {
      Optional<String> name = directory.link(link);
      if (name.isPresent()) {
        try {
          functions.add(device(PciAddress.of(name.get())));
        } catch (NoSuchDeviceException e) {
          // it has gone since the directory was listed
        }
      }
    }
    return functions;
  }

  /**
   * Lists the IOMMU groups by number.
   *
   * @return the groups; none where no IOMMU is on
   * @throws VfioException if sysfs cannot be read
   */
  public List<IommuGroup> groups() throws VfioException {
    Directory directory = new Directory(groupsDirectory(), "the IOMMU groups");
    List<IommuGroup> groups = readAll(directory, name -> group(Integer.parseInt(name)));
    groups.sort(Comparator.comparingInt(IommuGroup::number));
    return groups;
  }

  /**
   * Reads one IOMMU group.
   *
   * @param number the kernel's number for it
   * @return the group as it is now
   * @throws NoSuchDeviceException if there is none of that number
   * @throws VfioException if sysfs cannot be read
   */
  public IommuGroup group(int number) throws VfioException {
    return IommuGroup.read(this, number);
  }

  /**
   * Lists the types of mediated device that can be created.
   *
   * @return the types of all parents
   * @throws VfioException if sysfs cannot be read
   */
  public List<MediatedType> mediatedTypes() throws VfioException {
    Directory parents = new Directory(sys().resolve("class/mdev_bus"), "mediated device parents");
    List<MediatedType> types = new ArrayList<>();
    for (String parent : parents.names()) {
      Path offered = parents.path().resolve(parent).resolve("mdev_supported_types");
      for (String id : new Directory(offered, parent).names()) {
        types.add(MediatedType.read(parent, id, offered.resolve(id)));
      }
    }
    return types;
  }

  /**
   * Creates a mediated device.
   *
   * @param type one of {@link #mediatedTypes}
   * @param uuid its name, not used by another
   * @return the new device
   * @throws NoSuchDeviceException if its parent does not offer such a type, or not any more
   * @throws DeviceBusyException if the kernel takes longer than the {@linkplain #withPatience
   *     patience} of this sysfs
   * @throws VfioException if the kernel refuses, or this user may not
   */
  public MediatedDevice create(MediatedType type, UUID uuid) throws VfioException {
    String operation = "create " + type.id();
    if (mediatedTypes().stream().map(MediatedType::path).noneMatch(type.path()::equals)) {
      throw new NoSuchDeviceException(
          operation, uuid.toString(), null, "no parent offers this type: " + type.path());
    }
    BoundedWrites.of(this, uuid.toString())
        .write(operation, type.path().resolve("create"), uuid.toString(), patience);
    return device(uuid);
  }

  /**
   * Removes a mediated device for good. The kernel waits for those who have it open.
   *
   * @param device one of {@link #mediatedDevices}
   * @throws NoSuchDeviceException if it has gone, even where another has its name now
   * @throws DeviceBusyException if somebody has it open for longer than the {@linkplain
   *     #withPatience patience} of this sysfs; the kernel removes it when that ends
   * @throws VfioException if the kernel refuses, or this user may not
   */
  public void remove(MediatedDevice device) throws VfioException {
    if (!device(device.uuid()).path().equals(device.path())) {
      throw new NoSuchDeviceException(
          "remove", device.name(), null, "another device has its name now: " + device.path());
    }
    BoundedWrites.of(this, device, DeviceHolder.of(this, device))
        .write("remove", device.path().resolve("remove"), "1", patience);
  }

  Path sys() {
    return root.resolve("sys");
  }

  Path dev() {
    return root.resolve("dev");
  }

  Path bus(String bus) {
    return sys().resolve("bus").resolve(bus);
  }

  Path driverDirectory(String driver) {
    return bus("pci").resolve("drivers").resolve(driver);
  }

  boolean isLoaded(String driver) {
    return Files.isDirectory(driverDirectory(driver));
  }

  Path groupsDirectory() {
    return sys().resolve("kernel/iommu_groups");
  }

  private Directory devicesOf(String bus) {
    return new Directory(bus(bus).resolve("devices"), "the devices on bus " + bus);
  }

  Directory deviceDirectory(String bus, String name) throws VfioException {
    return Directory.of(devicesOf(bus).path().resolve(name), name);
  }

  Optional<DeviceNode> cdev(Directory device) throws VfioException {
    Directory nodes = new Directory(device.path().resolve("vfio-dev"), device.object());
    for (String name : nodes.names()) {
      Optional<DeviceNode> node = nodes.node(name, dev().resolve("vfio/devices").resolve(name));
      if (node.isPresent()) {
        return node;
      }
    }
    return Optional.empty();
  }

  /** The nodes that the kernel announces for a device: its own, and its group's. */
  List<DeviceNode> nodes(HostDevice device) throws VfioException {
    List<DeviceNode> nodes = new ArrayList<>();
    device.cdev().ifPresent(nodes::add);
    if (device.iommuGroup().isPresent()) {
      group(device.iommuGroup().getAsInt()).node().ifPresent(nodes::add);
    }
    return nodes;
  }

  KernelFiles files() {
    return files;
  }

  /** Returns whose sysfs it is, by the directory that has it. */
  @Override
  public String toString() {
    return "sysfs of the host at " + root;
  }
}
