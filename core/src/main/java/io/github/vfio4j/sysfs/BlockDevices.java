package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The disks and partitions of a device, and all that is made of them: volumes, arrays, maps. */
final class BlockDevices {

  private static final int SHOWN = 3;

  private final Sysfs sysfs;
  private final Directory all;
  private final Set<String> names = new LinkedHashSet<>();

  /** The name of each that is made of others, and those. */
  private final Map<String, Set<String>> made = new LinkedHashMap<>();

  private BlockDevices(Sysfs sysfs) {
    this.sysfs = sysfs;
    this.all = new Directory(sysfs.sys().resolve("class/block"), "the block devices");
  }

  static BlockDevices below(Sysfs sysfs, Path device) throws VfioException {
    BlockDevices found = new BlockDevices(sysfs);
    List<String> candidates = found.all.names();
    for (String name : candidates) {
      if (found.isOn(name, device)) {
        found.names.add(name);
      }
    }
    while (found.addMade(candidates)) {}
    return found;
  }

  /** A disk with several ways to it lies beside links to the controllers of these ways. */
  private boolean isOn(String name, Path device) throws VfioException {
    Path link = all.path().resolve(name);
    if (SystemUses.isBelow(device, link)) {
      return true;
    }
    Path around = directory(name).resolveSibling("");
    for (String sibling : new Directory(around, name).names()) {
      Path beside = around.resolve(sibling);
      if (Files.isSymbolicLink(beside) && SystemUses.isBelow(device, beside)) {
        return true;
      }
    }
    return false;
  }

  private Path directory(String name) {
    try {
      return all.path().resolve(name).toRealPath();
    } catch (IOException e) {
      return all.path().resolve(name); // it has gone
    }
  }

  /** Returns whether there was one more that is made of those known so far. */
  private boolean addMade(List<String> candidates) throws VfioException {
    boolean added = false;
    for (String name : candidates) {
      Set<String> parts = new LinkedHashSet<>();
      parts.addAll(new Directory(all.path().resolve(name).resolve("slaves"), name).names());
      for (String known : names) {
        Path holders = all.path().resolve(known).resolve("holders");
        if (Files.isSymbolicLink(holders.resolve(name))) {
          parts.add(known);
        }
      }
      String disk = String.valueOf(directory(name).resolveSibling("").getFileName());
      boolean partition = names.contains(disk);
      parts.retainAll(names);
      if ((partition || !parts.isEmpty()) && names.add(name)) {
        made.put(name, parts);
        added = true;
      }
    }
    return added;
  }

  /** Returns what would be lost with them. */
  List<String> uses(List<Mount> mounts) throws VfioException {
    Set<String> used = new LinkedHashSet<>();
    List<String> uses = new ArrayList<>();
    for (String name : names) {
      List<Mount> on = mounted(name, mounts);
      if (!on.isEmpty()) {
        used.add(name);
        uses.add("%s (%s on %s)".formatted(points(on), on.getFirst().type(), title(name)));
      }
    }
    for (String name : swaps()) {
      if (names.contains(name) && used.add(name)) {
        uses.add("the swap space on " + title(name));
      }
    }
    made.forEach(
        (name, parts) -> {
          if (!parts.isEmpty() && !used.contains(name)) {
            uses.add(title(name) + ", which is made of " + String.join(", ", parts));
          }
        });
    return uses;
  }

  private List<Mount> mounted(String name, List<Mount> mounts) throws VfioException {
    Optional<String> number = new Directory(all.path().resolve(name), name).find("dev");
    Set<String> sources = sourcesOfFileSystem(name);
    return mounts.stream()
        .filter(
            mount ->
                number.equals(Optional.of(mount.number()))
                    || mount.sourceDevice(sysfs).filter(sources::contains).isPresent())
        .toList();
  }

  /** A file system on several devices is mounted by the name of any of them. */
  private Set<String> sourcesOfFileSystem(String name) throws VfioException {
    Set<String> sources = new LinkedHashSet<>(Set.of(name));
    Directory systems = new Directory(sysfs.sys().resolve("fs/btrfs"), "the file systems");
    for (String system : systems.names()) {
      Path devices = systems.path().resolve(system).resolve("devices");
      List<String> members = new Directory(devices, system).names();
      if (members.contains(name)) {
        sources.addAll(members);
      }
    }
    return sources;
  }

  private static String points(List<Mount> mounts) {
    List<String> points = mounts.stream().map(Mount::point).distinct().toList();
    String shown = points.stream().limit(SHOWN).collect(Collectors.joining(", "));
    return points.size() > SHOWN ? shown + " and more" : shown;
  }

  private List<String> swaps() throws VfioException {
    Directory proc = new Directory(sysfs.root().resolve("proc"), "the swap spaces");
    return proc.find("swaps")
        .orElse("")
        .lines()
        .map(line -> Mount.unescape(line.split("\\s", 2)[0]))
        .flatMap(source -> name(sysfs, source).stream())
        .toList();
  }

  /** Returns a block device and what its maker calls it. */
  private String title(String name) {
    return new Directory(all.path().resolve(name), name)
        .tryFind("dm/name")
        .map(title -> name + ", " + title)
        .orElse(name);
  }

  /** Returns the kernel's name of a node, which may be a link to the one of that name. */
  static Optional<String> name(Sysfs sysfs, String source) {
    if (!source.startsWith("/dev/")) {
      return Optional.empty();
    }
    Path node = sysfs.root().resolve(source.substring(1));
    try {
      node = node.toRealPath();
    } catch (IOException e) {
      // it is told by its name
    }
    return Stream.of(node).map(Path::getFileName).map(String::valueOf).findFirst();
  }
}
