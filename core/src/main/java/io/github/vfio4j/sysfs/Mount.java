package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A mounted file system.
 *
 * @param number of what it is on, as {@code 259:2}; one of the kernel's own where that is several
 * @param point where it is mounted
 * @param type such as {@code ext4}
 * @param source what it is on, as whoever mounted it has called it
 */
record Mount(String number, String point, String type, String source) {

  private static final Pattern LINE =
      Pattern.compile("\\S+ \\S+ (\\S+) \\S+ (\\S+) .*? - (\\S+) (\\S+).*");
  private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})");

  /** Returns those that this process sees, and those of the host where this is a container. */
  static List<Mount> all(Sysfs sysfs) throws VfioException {
    Directory proc = new Directory(sysfs.root().resolve("proc"), "the mounted file systems");
    Set<Mount> mounts = new LinkedHashSet<>();
    String own = proc.find("self/mountinfo").orElse("");
    String hosts = proc.tryFind("1/mountinfo").orElse("");
    for (String line : (own + "\n" + hosts).lines().toList()) {
      Matcher matcher = LINE.matcher(line);
      if (matcher.matches()) {
        mounts.add(
            new Mount(
                matcher.group(1),
                unescape(matcher.group(2)),
                matcher.group(3),
                unescape(matcher.group(4))));
      }
    }
    return List.copyOf(mounts);
  }

  /** Blanks and the like are written in octal. */
  static String unescape(String text) {
    return ESCAPE
        .matcher(text)
        .replaceAll(
            escape ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(escape.group(1), 8))));
  }

  /** Returns the name of the block device that it calls its source, if it is one. */
  Optional<String> sourceDevice(Sysfs sysfs) {
    return BlockDevices.name(sysfs, source);
  }

  /** Returns whether it is a folder that the host of this virtual machine shares by this name. */
  boolean isShared(String name) {
    return source.equals(name) && (type.equals("9p") || type.equals("virtiofs"));
  }
}
