package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
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

  private static final int ATTEMPTS = 3;

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
    return read("list", path, Directory::list).orElse(List.of());
  }

  private static List<String> list(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
      entries.forEach(entry -> names.add(String.valueOf(entry.getFileName())));
    } catch (DirectoryIteratorException e) {
      throw Objects.requireNonNull(e.getCause());
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
    return read("read " + attribute, path.resolve(attribute), Files::readAllBytes)
        .map(bytes -> new String(bytes, StandardCharsets.UTF_8).strip());
  }

  /** An attribute that is no text; none if it is not there. */
  Optional<byte[]> bytes(String attribute) throws VfioException {
    return read("read " + attribute, path.resolve(attribute), Files::readAllBytes);
  }

  /** An attribute, where this user may read it. */
  Optional<String> tryFind(String attribute) {
    try {
      return find(attribute);
    } catch (VfioException e) {
      return Optional.empty();
    }
  }

  /**
   * Reads what may go at any moment, and come back as another. The kernel fails the reading of a
   * file that was open when it went, with whatever error: what is not there any more is absent.
   */
  private <T> Optional<T> read(String operation, Path file, Reader<T> reader) throws VfioException {
    for (int attempt = 1; ; attempt++) {
      try {
        return Optional.of(reader.read(file));
      } catch (NoSuchFileException | NotDirectoryException e) {
        return Optional.empty();
      } catch (AccessDeniedException e) {
        throw FileFailure.reading(operation, object, e);
      } catch (IOException e) {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
          return Optional.empty();
        }
        if (attempt == ATTEMPTS) {
          throw FileFailure.reading(operation, object, e);
        }
      }
    }
  }

  private interface Reader<T> {
    T read(Path file) throws IOException;
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
    return read("read " + attribute, path.resolve(attribute), Files::readSymbolicLink)
        .map(Path::getFileName)
        .map(Path::toString);
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
