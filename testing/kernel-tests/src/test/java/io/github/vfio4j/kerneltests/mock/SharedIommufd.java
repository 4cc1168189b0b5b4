package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;

import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.kerneltests.Child;
import io.github.vfio4j.mock.ForeignFile;
import io.github.vfio4j.mock.Mock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Another process that has the iommufds of a test too. It finds an address space as the one of the
 * legacy interface.
 *
 * <p>It ends without closing anything, as a process does that gets killed.
 */
final class SharedIommufd {
  static final String MAP = "map";
  static final String CHANGE = "change";
  static final int PAGES = 16;
  static final int SEED = 11;

  private SharedIommufd() {}

  /**
   * Starts it. It prints what came of each iommufd, and ends with its input.
   *
   * @param prefix the words that make it another user
   * @param process the process to take the iommufds from
   * @param descriptors their numbers there, with blanks between them
   */
  static Child start(List<String> prefix, String what, long process, String descriptors)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of(what, Long.toString(process)));
    arguments.addAll(List.of(descriptors.split(" ", -1)));
    return Child.start(prefix, SharedIommufd.class, arguments.toArray(new String[0]));
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments[0].equals(CHANGE)) {
      System.out.println(counted());
    }
    for (String descriptor : List.of(arguments).subList(2, arguments.length)) {
      Iommufd iommufd =
          Iommufd.ofFd(
              ForeignFile.take(Long.parseLong(arguments[1]), Integer.parseInt(descriptor)));
      if (arguments[0].equals(MAP)) {
        Ioas ioas = iommufd.compatibilityIoas().orElseThrow();
        ioas.map(Memory.pages(Arena.ofAuto(), PAGES, SEED), Mock.APERTURE_FIRST, READ_WRITE);
        System.out.println("mapped");
      } else {
        iommufd.changeProcess();
        System.out.println(counted());
      }
    }
    System.in.read();
    Runtime.getRuntime().halt(0);
  }

  /** How much memory counts as this process's pinned and locked memory, in KiB. */
  static String counted() throws IOException {
    String status = Files.readString(Path.of("/proc/self/status"));
    return "pinned %s locked %s".formatted(kib(status, "VmPin"), kib(status, "VmLck"));
  }

  private static String kib(String status, String name) {
    return status.replaceFirst("(?s).*" + name + ":\\s*(\\d+) kB.*", "$1");
  }
}
