package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the process that keeps a device open, as far as this user may look: by a file of the
 * device, or by a mapping, which keeps it open just as well.
 *
 * <p>What to look for is read beforehand: a device that the kernel waits for has lost its nodes.
 */
final class DeviceHolder {

  /** How the kernel calls files and mappings of a device that was taken from its group. */
  private static final String OF_SOME_DEVICE = "anon_inode:[vfio-device]";

  private static final String REMOVED = " (deleted)";
  private static final String SYSFS_PATH = "vfio-device-syspath:";

  private final Path proc;
  private final Set<String> nodes;
  private final String directory;

  private DeviceHolder(Path root, List<DeviceNode> nodes, Path directory) {
    this.proc = root.resolve("proc");
    this.nodes = new HashSet<>();
    nodes.forEach(node -> this.nodes.add(seenByProcesses(root, node.path())));
    this.directory = seenByProcesses(root, directory);
  }

  private static String seenByProcesses(Path root, Path path) {
    return Path.of("/").resolve(root.relativize(path)).toString();
  }

  /** Looks for who has a device open. */
  static DeviceHolder of(Sysfs sysfs, HostDevice device) throws VfioException {
    return new DeviceHolder(sysfs.root(), sysfs.nodes(device), device.path());
  }

  /** Returns a process, such as {@code process 812 (qemu-system-x86)}, or {@code perhaps} one. */
  Optional<String> find() throws VfioException {
    return find(Holding.PERHAPS);
  }

  /** Returns a process that is certain to have it open. */
  Optional<String> findSurely() throws VfioException {
    return find(Holding.SURELY);
  }

  private Optional<String> find(Holding least) throws VfioException {
    Optional<String> perhaps = Optional.empty();
    for (String process : new Directory(proc, "the processes").names()) {
      if (Character.isDigit(process.charAt(0))) {
        Directory directory = new Directory(proc.resolve(process), "process " + process);
        switch (holding(directory)) {
          case SURELY -> {
            return Optional.of(name(directory));
          }
          case PERHAPS -> {
            if (least == Holding.PERHAPS) {
              perhaps = Optional.of("perhaps " + name(directory));
            }
          }
          case NO -> {}
        }
      }
    }
    return perhaps;
  }

  /** Returns who was found, or that nobody was. */
  String describe() throws VfioException {
    return find()
        .map(who -> who + " has it open")
        .orElse("no process was found that has it open, as far as this user may look");
  }

  private static String name(Directory process) {
    return process.object() + " (" + process.tryFind("comm").orElse("?") + ")";
  }

  private enum Holding {
    NO,
    PERHAPS,
    SURELY
  }

  private Holding holding(Directory process) {
    Holding holding = Holding.NO;
    for (String file : process.tryNames("fd")) {
      holding = max(holding, file(process, file));
    }
    for (String mapping : process.tryFind("maps").orElse("").lines().toList()) {
      if (mapping.contains("vfio")) {
        holding = max(holding, named(mapping.split(" +", 6)[5]));
      }
    }
    return holding;
  }

  private static Holding max(Holding one, Holding other) {
    return one.compareTo(other) < 0 ? other : one;
  }

  private Holding file(Directory process, String file) {
    Holding byName = named(target(process.path().resolve("fd").resolve(file)));
    if (byName != Holding.PERHAPS) {
      return byName;
    }
    return process
        .tryFind("fdinfo/" + file)
        .flatMap(DeviceHolder::sysfsPath)
        .map(path -> path.equals(directory) ? Holding.SURELY : Holding.NO)
        .orElse(Holding.PERHAPS);
  }

  private Holding named(String name) {
    String node =
        name.endsWith(REMOVED) ? name.substring(0, name.length() - REMOVED.length()) : name;
    if (nodes.contains(node)) {
      return Holding.SURELY;
    }
    boolean removed = !node.equals(name) && node.startsWith("/dev/vfio/devices/");
    return removed || node.equals(OF_SOME_DEVICE) ? Holding.PERHAPS : Holding.NO;
  }

  private static Optional<String> sysfsPath(String information) {
    return information
        .lines()
        .filter(line -> line.startsWith(SYSFS_PATH))
        .map(line -> line.substring(SYSFS_PATH.length()).strip())
        .findFirst();
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return ""; // closed since, or not ours to see
    }
  }
}
