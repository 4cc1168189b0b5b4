package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.Errno;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A tree of files that looks like a host's sysfs, and acts like it where a driver is bound. */
public final class FakeHost implements KernelFiles {

  private static final String PCI = "sys/bus/pci/";

  /** Of a function without registers and capabilities. */
  private static final byte[] HEADER =
      Arrays.copyOf(new byte[] {0x34, 0x12, (byte) 0xe8, 0x11}, 64);

  private final Path root;
  private final Map<String, String> nativeDrivers = new HashMap<>();
  private final Map<Path, DeviceNumber> nodes = new ConcurrentHashMap<>();
  private final Map<String, Errno> refusals = new HashMap<>();
  private final Map<String, CountDownLatch> blocked = new ConcurrentHashMap<>();
  private final Set<String> claimed = new HashSet<>();
  private final List<String> writes = Collections.synchronizedList(new ArrayList<>());
  private Consumer<String> observer = _ -> {};
  private int cdevs;
  private int fewerFunctions;
  private boolean hasCdev = true;
  private boolean makesNodes = true;

  /** Starts with an empty PCI bus. */
  public FakeHost(Path root) {
    this.root = root;
    directory(PCI + "devices");
    directory(PCI + "drivers");
    directory("dev/vfio");
  }

  /** The library's view of this host. */
  public Sysfs sysfs() {
    return new Sysfs(root, this);
  }

  /** Behaves like a kernel without VFIO device nodes, such as 6.1. */
  public FakeHost withoutCdev() {
    hasCdev = false;
    return this;
  }

  /** Announces nodes in sysfs and never makes them. */
  public FakeHost withoutNodes() {
    makesNodes = false;
    return this;
  }

  /** Answers writes to files of this name with this error number. */
  public FakeHost refuse(String file, Errno errno) {
    refusals.put(file, errno);
    return this;
  }

  /** Accepts writes to files of this name again. */
  public FakeHost accept(String file) {
    refusals.remove(file);
    return this;
  }

  /** Keeps writers to files of this name waiting, as for who has the device open. */
  public FakeHost block(String file) {
    blocked.put(file, new CountDownLatch(1));
    return this;
  }

  /** Lets those writers go on. */
  public FakeHost unblock(String file) {
    Objects.requireNonNull(blocked.remove(file)).countDown();
    return this;
  }

  /** Has vfio-pci take a function whenever it has no driver, as its option ids= does. */
  public FakeHost claim(String address) {
    claimed.add(address);
    return this;
  }

  /** Tells of each write before it is done, as file name and value. */
  public FakeHost observe(Consumer<String> observer) {
    this.observer = observer;
    return this;
  }

  /** Lets a function have virtual ones, which its driver makes at the addresses 0000:00:1a.*. */
  public FakeHost sriov(String address, int limit) {
    return attribute(address, "sriov_totalvfs", "" + limit).attribute(address, "sriov_numvfs", "0");
  }

  /** Makes fewer virtual functions than are asked for, as a driver may. */
  public FakeHost makeFewerFunctions(int fewer) {
    fewerFunctions = fewer;
    return this;
  }

  private @Nullable Errno setFunctions(Path physical, int number) throws IOException {
    String address = String.valueOf(physical.getFileName());
    String driver = driverOf(address);
    if (driver.equals("none")) {
      return Errno.ENOENT;
    }
    if (number == 0) {
      endFunctions(address);
      return null;
    }
    for (int i = 0; i < number - fewerFunctions; i++) {
      String function = "0000:00:1a." + i;
      device(function).group(40 + i, function);
      link("sys/devices/pci0000:00/" + function + "/physfn", "../" + address);
      link("sys/devices/pci0000:00/" + address + "/virtfn" + i, "../" + function);
      attach(function, driver);
    }
    return null;
  }

  private void endFunctions(String address) throws IOException {
    for (int i = 0; i < 8; i++) {
      Path link = at("sys/devices/pci0000:00/" + address + "/virtfn" + i);
      if (Files.isSymbolicLink(link)) {
        delete(at("sys/devices/pci0000:00/0000:00:1a." + i));
        Files.delete(at(PCI + "devices/0000:00:1a." + i));
        delete(at("sys/kernel/iommu_groups/" + (40 + i)));
        Files.delete(link);
      }
    }
  }

  /** Loads a driver. */
  public FakeHost module(String driver) {
    directory(PCI + "drivers/" + driver);
    return this;
  }

  /** Plugs in an ordinary function, in no group and without a driver. */
  public FakeHost device(String address) {
    String device = "sys/devices/pci0000:00/" + address + "/";
    file(device + "vendor", "0x1234");
    file(device + "device", "0x11e8");
    file(device + "subsystem_vendor", "0x1af4");
    file(device + "subsystem_device", "0x1100");
    file(device + "class", "0x00ff00");
    file(device + "revision", "0x10");
    file(device + "driver_override", "(null)");
    file(device + "numa_node", "-1");
    file(device + "enable", "0");
    link(PCI + "devices/" + address, "../../../devices/pci0000:00/" + address);
    return config(address, HEADER);
  }

  /** Sets what is read of a function's configuration space. */
  public FakeHost config(String address, byte[] bytes) {
    try {
      Files.write(at("sys/devices/pci0000:00/" + address + "/config"), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Sets an attribute of a function. */
  public FakeHost attribute(String address, String attribute, String value) {
    file("sys/devices/pci0000:00/" + address + "/" + attribute, value);
    return this;
  }

  /** Puts functions into a group. */
  public FakeHost group(int number, String... addresses) {
    String group = "sys/kernel/iommu_groups/" + number + "/";
    file(group + "type", "DMA-FQ");
    file(group + "reserved_regions", "0x00000000fee00000 0x00000000feefffff msi");
    for (String address : addresses) {
      link(group + "devices/" + address, "../../../../devices/pci0000:00/" + address);
      link(
          "sys/devices/pci0000:00/" + address + "/iommu_group",
          "../../../kernel/iommu_groups/" + number);
    }
    return this;
  }

  /** Binds a function to the driver that the kernel would choose for it. */
  public FakeHost driver(String address, String driver) {
    module(driver);
    nativeDrivers.put(address, driver);
    attach(address, driver);
    return this;
  }

  /** The driver of a function, or "none". */
  public String driverOf(String address) {
    Path link = at("sys/devices/pci0000:00/" + address + "/driver");
    try {
      return String.valueOf(Files.readSymbolicLink(link).getFileName());
    } catch (IOException e) {
      return "none";
    }
  }

  public String overrideOf(String address) throws IOException {
    return Files.readString(at("sys/devices/pci0000:00/" + address + "/driver_override")).strip();
  }

  /** Every write so far, as file name and value. */
  List<String> writes() {
    return writes;
  }

  /** Unplugs a function, leaving the bus's list as a reader may still have it. */
  void unplug(String address) {
    delete(at("sys/devices/pci0000:00/" + address));
  }

  /** Writes a file, with its directories. */
  public FakeHost file(String path, String text) {
    try {
      Files.createDirectories(at(path).resolveSibling(""));
      Files.writeString(at(path), text + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Makes a directory. */
  public FakeHost directory(String path) {
    try {
      Files.createDirectories(at(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Makes a file that keeps its readers waiting, as an attribute of a device that is unbound. */
  public FakeHost blockReading(String address, String attribute) throws IOException {
    Path file = at("sys/devices/pci0000:00/" + address + "/" + attribute);
    Files.delete(file);
    Process process = new ProcessBuilder("mkfifo", file.toString()).inheritIO().start();
    process.onExit().join();
    return this;
  }

  /** Makes a symbolic link. */
  public FakeHost link(String path, String target) {
    try {
      Files.createDirectories(at(path).resolveSibling(""));
      Files.createSymbolicLink(at(path), Path.of(target));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Announces a miscellaneous device, and makes its node. */
  public FakeHost misc(String name, String node, int minor) {
    announce("sys/class/misc/" + name, node, 10, minor);
    return this;
  }

  /** Makes a device node of a number. */
  public FakeHost node(String path, int major, int minor) {
    file(path, "");
    nodes.put(at(path), new DeviceNumber(major, minor));
    return this;
  }

  @Override
  public Optional<DeviceNumber> number(Path node) {
    return Optional.ofNullable(nodes.get(node));
  }

  @Override
  public void prepareToWrite() {}

  @Override
  public long write(Path attribute, String value) {
    String file = String.valueOf(attribute.getFileName());
    String write = (file + " " + value).strip();
    writes.add(write);
    observer.accept(write);
    if (refusals.containsKey(file)) {
      return -Objects.requireNonNull(refusals.get(file)).number();
    }
    CountDownLatch latch = blocked.get(file);
    try {
      if (latch != null) {
        latch.await();
      }
      Errno refusal = act(file, value, attribute.resolveSibling(""));
      return refusal == null ? value.length() : -refusal.number();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private @Nullable Errno act(String file, String value, Path owner) throws IOException {
    String driver = String.valueOf(owner.getFileName());
    switch (file) {
      case "driver_override" ->
          Files.writeString(owner.resolve(file), value.isBlank() ? "(null)\n" : value);
      case "unbind" -> {
        return detach(value, driver);
      }
      case "bind" -> {
        return bind(value, driver);
      }
      case "drivers_probe" -> {
        String chosen = chosenBy(value);
        if (chosen != null && driverOf(value).equals("none")) {
          attach(value, chosen);
        }
      }
      case "sriov_numvfs" -> {
        return setFunctions(owner, Integer.parseInt(value.strip()));
      }
      case "create" -> createMediated(owner, value);
      case "remove" -> delete(owner);
      default -> {
        return Errno.ENOENT;
      }
    }
    return null;
  }

  private @Nullable String chosenBy(String address) throws IOException {
    String override = overrideOf(address);
    if (!override.equals("(null)")) {
      return override;
    }
    return claimed.contains(address) ? "vfio-pci" : nativeDrivers.get(address);
  }

  private @Nullable Errno bind(String address, String driver) throws IOException {
    boolean claims = driver.equals("vfio-pci") && claimed.contains(address);
    boolean fits = driver.equals(nativeDrivers.get(address)) || claims;
    if (overrideOf(address).equals("(null)") ? !fits : !driver.equals(overrideOf(address))) {
      return Errno.ENODEV;
    }
    if (!driverOf(address).equals("none")) {
      return Errno.EBUSY;
    }
    attach(address, driver);
    return null;
  }

  private void attach(String address, String driver) {
    String device = "sys/devices/pci0000:00/" + address + "/";
    link(device + "driver", "../../../bus/pci/drivers/" + driver);
    if (!VfioDrivers.includes(driver)) {
      return;
    }
    if (hasCdev) {
      announce(device + "vfio-dev/vfio" + cdevs, "dev/vfio/devices/vfio" + cdevs, 511, cdevs++);
    }
    if (Files.exists(at(device + "iommu_group"))) {
      try {
        Path group = Files.readSymbolicLink(at(device + "iommu_group")).getFileName();
        int number = Integer.parseInt(String.valueOf(group));
        announce("sys/class/vfio/" + number, "dev/vfio/" + number, 244, number);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void announce(String directory, String node, int major, int minor) {
    file(directory + "/dev", major + ":" + minor);
    if (!Files.isSymbolicLink(at("sys/dev/char/" + major + ":" + minor))) {
      link("sys/dev/char/" + major + ":" + minor, at(directory).toString());
    }
    if (makesNodes) {
      node(node, major, minor);
    }
  }

  private @Nullable Errno detach(String address, String driver) throws IOException {
    if (!driverOf(address).equals(driver)) {
      return Errno.ENODEV;
    }
    endFunctions(address);
    Files.delete(at("sys/devices/pci0000:00/" + address + "/driver"));
    delete(at("sys/devices/pci0000:00/" + address + "/vfio-dev"));
    return null;
  }

  private void createMediated(Path type, String uuid) throws IOException {
    Path parent = type.resolve("../..").toRealPath();
    String device = root.relativize(parent) + "/" + uuid;
    directory(device);
    link(device + "/mdev_type", "../mdev_supported_types/" + type.getFileName());
    link(device + "/driver", "../../../bus/mdev/drivers/vfio_mdev");
    link("sys/bus/mdev/devices/" + uuid, at(device).toString());
  }

  private static void delete(Path tree) {
    if (!Files.exists(tree)) {
      return;
    }
    try (var files = Files.walk(tree)) {
      for (Path file : files.toList().reversed()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path at(String path) {
    return root.resolve(path);
  }
}
