package io.github.vfio4j.kerneltests;

import io.github.vfio4j.Backend;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Opens the edu by its group, lets go of all but what it is told to keep, and ends when it gets a
 * line of input.
 */
final class Holder {
  private Holder() {}

  public static void main(String[] arguments) throws IOException {
    VfioDevice device = VfioDevice.open(Machine.EDU, Backend.CONTAINER);
    MappedRegion mapped = device.pci().bar(0).map();
    List<String> closed =
        arguments[0].equals("mapping")
            ? List.of("/dev/vfio/", "anon_inode:[vfio-device]")
            : List.of("/dev/vfio/");
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      for (Path file : files.toList()) {
        if (Files.isSymbolicLink(file) && closed.stream().anyMatch(target(file)::startsWith)) {
          Kernel.running().close(Integer.parseInt(file.getFileName().toString()));
        }
      }
    }
    System.out.println("holding " + mapped.getInt(0));
    System.in.read();
    Runtime.getRuntime().halt(0);
  }

  private static String target(Path link) throws IOException {
    return Files.readSymbolicLink(link).toString();
  }
}
