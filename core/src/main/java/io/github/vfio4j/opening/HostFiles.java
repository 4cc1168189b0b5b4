package io.github.vfio4j.diagnosis;

import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** The host's files that tell something. One that cannot be read tells nothing. */
final class HostFiles {

  private final Sysfs sysfs;
  private final Predicate<Path> openable;

  HostFiles(Sysfs sysfs) {
    this(sysfs, node -> Files.isReadable(node) && Files.isWritable(node));
  }

  /** Lets a test say which nodes this user may open. */
  HostFiles(Sysfs sysfs, Predicate<Path> openable) {
    this.sysfs = sysfs;
    this.openable = openable;
  }

  Sysfs sysfs() {
    return sysfs;
  }

  boolean exists(String path) {
    return Files.exists(at(path));
  }

  /** Whether a module's parameter is on. */
  boolean isYes(String parameter) {
    return text(parameter).filter(value -> value.equals("Y")).isPresent();
  }

  boolean allowsNoIommu() {
    return isYes("sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  }

  boolean isOpenable(Path node) {
    return openable.test(node);
  }

  Path at(String path) {
    return sysfs.root().resolve(path);
  }

  Optional<String> text(String path) {
    try {
      return Optional.of(Files.readString(at(path)).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  Optional<String> unzipped(String path) {
    try (var zipped = new GZIPInputStream(Files.newInputStream(at(path)))) {
      return Optional.of(new String(zipped.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  List<String> names(String directory) {
    try (Stream<Path> entries = Files.list(at(directory))) {
      return entries.map(entry -> String.valueOf(entry.getFileName())).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }
}
