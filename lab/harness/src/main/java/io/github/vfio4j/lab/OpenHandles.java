package io.github.vfio4j.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What this process holds of the kernel: descriptors and mappings of devices and of the kernel's
 * anonymous files, each with how often, and its pinned and locked memory in KiB. Files of the JDK
 * and of the class path are not counted, nor is what stays in the place of a closed mapping until
 * nobody can reach it. For that a process may keep one descriptor.
 *
 * @param counts how often each is there, and KiB of memory
 */
public record OpenHandles(TreeMap<String, Long> counts) {
  private static final Pattern COUNTED =
      Pattern.compile(
          "/dev/(?!null|zero|u?random|tty|vport|hvc).*|/sys/.*|anon_inode:.*|/?dmabuf.*"
              + "|/?memfd:.*|/anon_hugepage.*");

  private static final String STAND_IN = "/memfd:closed device mapping (deleted)";

  private static final Pattern MEMORY = Pattern.compile("(VmPin|VmLck):\\s*(\\d+) kB");

  /**
   * Looks at {@code /proc/self}.
   *
   * @return what is open now
   */
  public static OpenHandles now() {
    var counts = new TreeMap<String, Long>();
    try {
      for (String target : descriptors()) {
        count(counts, "descriptor of " + target);
      }
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        String file = mappedFile(line);
        if (COUNTED.matcher(file).matches() && !file.equals(STAND_IN)) {
          count(counts, "mapping of " + file);
        }
      }
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        Matcher memory = MEMORY.matcher(line);
        if (memory.matches()) { // unsigned: the kernel may count less than none, by mistake
          counts.put(memory.group(1) + " in KiB", Long.parseUnsignedLong(memory.group(2)));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new OpenHandles(counts);
  }

  /** The path in a line of maps, after five columns without a slash; empty where there is none. */
  private static String mappedFile(String line) {
    int anonymous = line.indexOf("anon_inode:");
    int start = anonymous >= 0 ? anonymous : line.indexOf('/');
    return start >= 0 ? line.substring(start) : "";
  }

  private static List<String> descriptors() throws IOException {
    var targets = new ArrayList<String>();
    try (DirectoryStream<Path> links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path link : links) {
        try {
          String target = Files.readSymbolicLink(link).toString();
          if (COUNTED.matcher(target).matches()) {
            targets.add(target);
          }
        } catch (NoSuchFileException e) {
          // closed since the directory was read, as the directory's own one is
        }
      }
    }
    return targets;
  }

  private static void count(TreeMap<String, Long> counts, String what) {
    counts.merge(what, 1L, Long::sum);
  }

  /**
   * Compares.
   *
   * @param before an earlier look
   * @return what there is more of now, one line each
   */
  public List<String> since(OpenHandles before) {
    var more = new ArrayList<String>();
    counts.forEach(
        (what, count) -> {
          long kept = what.endsWith(STAND_IN) ? 1 : 0;
          long previous = Math.max(kept, before.counts.getOrDefault(what, 0L));
          if (count > previous) {
            more.add(what + ": " + previous + " before, " + count + " now");
          }
        });
    return more;
  }
}
