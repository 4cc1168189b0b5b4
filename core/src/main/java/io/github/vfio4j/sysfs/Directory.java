package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A directory of sysfs, read attribute by attribute while what it describes may go away.
 *
 * @param path where it is
 * @param object what it describes, as failures name it
 */
record Directory(Path path, String object) {

  /** The directory that a link of a bus or class points to. */
  static Directory of(Path link, String object) throws VfioException {
    try {
      return new Directory(link.toRealPath(), object);
    } catch (IOException e) {
      throw FileFailure.reading("look up", object, e);
    }
  }

  /** The names of what is in it, sorted; none if it is not there. */
  List<String> names() throws VfioException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(path)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (DirectoryIteratorException e) {
      throw failure("list", Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw failure("list", e);
    }
    names.sort(Comparator.naturalOrder());
    return names;
  }

  /** The names of what is in a directory of it; none if this user may not look or it goes. */
  List<String> tryNames(String directory) {
    try {
      return new Directory(path.resolve(directory), object).names();
    } catch (VfioException e) {
      return List.of();
    }
  }

  /** An attribute that every object of the kind has. */
  String text(String attribute) throws VfioException {
    Optional<String> text = find(attribute);
    if (text.isEmpty()) {
      checkStillThere();
      throw new VfioException("read " + attribute, object, null, "sysfs does not have it");
    }
    return text.get();
  }

  /**
   * An attribute that not every object or kernel has. Anybody may have put odd bytes into one:
   * those that are not UTF-8 are replaced.
   */
  Optional<String> find(String attribute) throws VfioException {
    try {
      byte[] bytes = Files.readAllBytes(path.resolve(attribute));
      return Optional.of(new String(bytes, StandardCharsets.UTF_8).strip());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure("read " + attribute, e);
    }
  }

  /** An attribute, where this user may read it. */
  Optional<String> tryFind(String attribute) {
    try {
      return find(attribute);
    } catch (VfioException e) {
      return Optional.empty();
    }
  }

  /** Whatever the error, what has gone in the meantime is gone. */
  private VfioException failure(String operation, IOException cause) {
    return Files.isDirectory(path)
        ? FileFailure.reading(operation, object, cause)
        : FileFailure.gone(operation, object, cause);
  }

  /** An attribute such as {@code 0x8086}. */
  int hex(String attribute) throws VfioException {
    String text = text(attribute);
    try {
      return Integer.decode(text);
    } catch (NumberFormatException e) {
      throw FileFailure.malformed(object, attribute, text, e);
    }
  }

  /** A decimal attribute that may be missing; the kernel writes -1 for none. */
  OptionalInt number(String attribute) throws VfioException {
    return number(attribute, find(attribute));
  }

  private OptionalInt number(String attribute, Optional<String> text) throws VfioException {
    try {
      int number = Integer.parseInt(text.orElse("-1"));
      return number < 0 ? OptionalInt.empty() : OptionalInt.of(number);
    } catch (NumberFormatException e) {
      throw FileFailure.malformed(object, attribute, text.orElse(""), e);
    }
  }

  List<String> words(String attribute) throws VfioException {
    String text = find(attribute).orElse("");
    return text.isEmpty() ? List.of() : List.of(text.split("\\s+", -1));
  }

  /** The last name of what a link points to. */
  Optional<String> link(String attribute) throws VfioException {
    try {
      Path target = Files.readSymbolicLink(path.resolve(attribute));
      return Optional.ofNullable(target.getFileName()).map(Path::toString);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw failure("read " + attribute, e);
    }
  }

  /** The last name of what a link points to, where that is a number. */
  OptionalInt linkedNumber(String attribute) throws VfioException {
    return number(attribute, link(attribute));
  }

  /** The node whose number a child's {@code dev} attribute announces. */
  Optional<DeviceNode> node(String child, Path node) throws VfioException {
    Optional<String> text = find(child + "/dev");
    try {
      return text.map(DeviceNumber::parse).map(number -> new DeviceNode(node, number));
    } catch (IllegalArgumentException e) {
      throw FileFailure.malformed(object, "dev", text.orElse(""), e);
    }
  }

  /** What was read of an object that went away half way is worth nothing. */
  void checkStillThere() throws VfioException {
    if (!Files.isDirectory(path)) {
      throw new NoSuchDeviceException("read", object, null, "it is not there, or has just gone");
    }
  }
}
