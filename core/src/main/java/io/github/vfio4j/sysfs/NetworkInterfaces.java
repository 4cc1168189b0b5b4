package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The network interfaces of a device. */
final class NetworkInterfaces {

  private static final int UP = 1;

  private NetworkInterfaces() {}

  /** Returns those through which the system is, or may be, connected. */
  static List<String> below(Sysfs sysfs, Path device) throws VfioException {
    Set<String> routed = routed(sysfs);
    List<String> uses = new ArrayList<>();
    Directory all = new Directory(sysfs.sys().resolve("class/net"), "the network interfaces");
    for (String name : all.names()) {
      Path link = all.path().resolve(name);
      if (SystemUses.isBelow(device, link)) {
        if (routed.contains(name)) {
          uses.add("the network interface " + name + ", which routes lead to");
        } else if (isUp(new Directory(link, name))) {
          uses.add("the network interface " + name + ", which is up");
        }
      }
    }
    return uses;
  }

  private static boolean isUp(Directory networkInterface) throws VfioException {
    String state = networkInterface.find("operstate").orElse("unknown");
    return state.equals("up") || (state.equals("unknown") && (flags(networkInterface) & UP) != 0);
  }

  private static int flags(Directory networkInterface) throws VfioException {
    Optional<String> flags = networkInterface.find("flags");
    return flags.isEmpty() ? 0 : networkInterface.hex("flags");
  }

  /** In one table an interface is the first word of its line, in the other the last. */
  private static Set<String> routed(Sysfs sysfs) throws VfioException {
    Directory proc = new Directory(sysfs.root().resolve("proc/net"), "the routes");
    Set<String> routed = new HashSet<>();
    for (String line : proc.find("route").orElse("").lines().toList()) {
      routed.add(line.split("\\s", 2)[0]);
    }
    for (String line : proc.find("ipv6_route").orElse("").lines().toList()) {
      routed.add(line.substring(line.lastIndexOf(' ') + 1));
    }
    return routed;
  }
}
