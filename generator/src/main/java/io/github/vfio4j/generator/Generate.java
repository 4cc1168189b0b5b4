package io.github.vfio4j.generator;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Writes the sources of the {@code bindings} module; {@code lab/bindings} calls it. */
public final class Generate {
  private Generate() {}

  /**
   * Reads headers and writes sources, in place of all that is there.
   *
   * @param arguments the compiler, the directory of the headers (as {@code /usr/include} is laid
   *     out), and the source directory of the module
   * @throws IOException if the sources cannot be written
   */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 3) {
      throw new IllegalArgumentException("usage: Generate CLANG HEADERS SOURCES");
    }
    write(sources(arguments[0], Path.of(arguments[1])), Path.of(arguments[2]));
  }

  /** The sources by path. */
  static Map<String, String> sources(String clang, Path headers) throws IOException {
    Map<Target, HeaderReader> readers = new EnumMap<>(Target.class);
    for (Target target : Target.values()) {
      readers.put(target, new HeaderReader(new Clang(clang, headers, target)));
    }
    Since since = Since.table();
    Bindings bindings = new Bindings(readers, kernel(headers), since);
    bindings.add(List.of("linux/vfio.h"), Selection::all);
    bindings.add(List.of("linux/iommufd.h"), Selection::all);
    bindings.add(
        List.of("linux/kvm.h", "asm/kvm.h"), target -> Selection.listed("kvm.txt", target));
    if (!since.unused().isEmpty()) {
      throw new IllegalStateException("since.txt has unknown names: " + since.unused());
    }
    return bindings.files();
  }

  /**
   * The version of the kernel that headers belong to: its uAPI does not change in stable updates.
   */
  private static String kernel(Path headers) throws IOException {
    String version = Files.readString(headers.resolve("linux/version.h"));
    return number(version, "MAJOR") + "." + number(version, "PATCHLEVEL");
  }

  private static String number(String version, String part) {
    return version
        .lines()
        .filter(line -> line.startsWith("#define LINUX_VERSION_" + part + " "))
        .map(line -> line.substring(line.lastIndexOf(' ') + 1))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no version in linux/version.h"));
  }

  private static void write(Map<String, String> sources, Path directory) throws IOException {
    for (Map.Entry<String, String> source : sources.entrySet()) {
      Path file = directory.resolve(source.getKey());
      Files.createDirectories(file.getParent());
      Files.writeString(file, source.getValue());
    }
    try (Stream<Path> files = Files.walk(directory.resolve("io"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!sources.containsKey(directory.relativize(file).toString())) {
          Files.delete(file);
        }
      }
    }
  }
}
