package io.github.vfio4j.kerneltests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** What of this process the kernel keeps in place: type1 counts it as locked, iommufd as pinned. */
final class LockedMemory {
  private static final Pattern LINE = Pattern.compile("(?:VmPin|VmLck):\\s*(\\d+) kB");

  private LockedMemory() {}

  static long bytes() throws IOException {
    long kib = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      var matcher = LINE.matcher(line);
      if (matcher.matches()) {
        kib += Long.parseUnsignedLong(matcher.group(1));
      }
    }
    return kib << 10;
  }
}
