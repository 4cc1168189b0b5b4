package io.github.vfio4j.handover;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What files this process has open, as the kernel tells. */
final class OpenFiles {
  private static final Path OWN = Path.of("/proc/self/fd");

  private OpenFiles() {}

  /** How many there are of a kind that no other test has, with what looking takes itself. */
  static long like(String name) throws IOException {
    try (Stream<Path> numbers = Files.list(OWN)) {
      return numbers.filter(number -> nameOf(number).contains(name)).count();
    }
  }

  private static String nameOf(Path number) {
    try {
      return Files.readSymbolicLink(number).toString();
    } catch (IOException e) {
      return ""; // closed since it was listed
    }
  }

  static void assertClosedOnExec(int fd) throws IOException {
    String flags =
        Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
            .filter(line -> line.startsWith("flags:"))
            .findFirst()
            .orElseThrow();
    int bits = Integer.parseInt(flags.substring("flags:".length()).strip(), 8);
    assertThat(bits & 0x80000).isNotZero();
  }
}
