package io.github.vfio4j.sysfs;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Finds a process that has a device node open, as far as this user may look. */
final class NodeHolder {

  private NodeHolder() {}

  /** A process that has one of the nodes open, such as {@code process 812 (qemu-system-x86)}. */
  static Optional<String> find(Path root, List<Path> nodes) throws VfioException {
    List<Path> targets =
        nodes.stream().map(node -> Path.of("/").resolve(root.relativize(node))).toList();
    Path proc = root.resolve("proc");
    for (String process : new Directory(proc, "the processes").names()) {
      Path files = proc.resolve(process).resolve("fd");
      if (Character.isDigit(process.charAt(0)) && Files.isReadable(files)) {
        for (String file : new Directory(files, "process " + process).names()) {
          if (targets.contains(target(files.resolve(file)))) {
            String name = new Directory(proc.resolve(process), process).find("comm").orElse("?");
            return Optional.of("process " + process + " (" + name + ")");
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Path target(Path link) {
    try {
      return Files.readSymbolicLink(link);
    } catch (IOException e) {
      return link; // closed since, or not ours to see
    }
  }
}
