package io.github.vfio4j.cli.text;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The names of PCI vendors, devices and classes, from the system's {@code pci.ids}. The file is
 * read when the first name is asked for, and searched instead of parsed: a command needs a dozen of
 * its 40,000 lines. Without the file there are no names. Thread-safe.
 */
public final class PciIds {

  private final List<Path> files;
  private Optional<String> text = Optional.empty();
  private boolean read;
  private final Map<String, Optional<String>> blocks = new HashMap<>();

  private PciIds(List<Path> files) {
    this.files = files;
  }

  /** Names from the first of the files that can be read. */
  public static PciIds of(List<Path> files) {
    return new PciIds(files);
  }

  /** Whether there are no names at all. */
  public synchronized boolean isMissing() {
    return text().isEmpty();
  }

  public Optional<String> vendor(int vendor) {
    return block("%04x".formatted(vendor)).map(PciIds::title);
  }

  public Optional<String> device(int vendor, int device) {
    return block("%04x".formatted(vendor)).flatMap(block -> entry(block, "\t", device, 4));
  }

  public Optional<String> subsystem(int vendor, int device, int subsystemVendor, int subsystem) {
    String key = "%04x %04x".formatted(subsystemVendor, subsystem);
    return block("%04x".formatted(vendor))
        .flatMap(block -> part(block, "\t", "%04x".formatted(device)))
        .flatMap(part -> part(part, "\t\t", key))
        .map(PciIds::title);
  }

  /** The name of a class: that of its subclass, or else of its base class. */
  public Optional<String> type(int classCode) {
    Optional<String> base = block("C %02x".formatted(classCode >>> 16));
    return base.flatMap(block -> entry(block, "\t", classCode >>> 8 & 0xff, 2))
        .or(() -> base.map(PciIds::title));
  }

  private static Optional<String> entry(String block, String indent, int id, int digits) {
    return part(block, indent, ("%0" + digits + "x").formatted(id)).map(PciIds::title);
  }

  /** A line that is not indented, and the indented ones below it. */
  private synchronized Optional<String> block(String key) {
    return blocks.computeIfAbsent(key, _ -> text().flatMap(all -> part(all, "", key)));
  }

  /** The line of a key at this indentation, and those below it that are indented further. */
  private static Optional<String> part(String lines, String indent, String key) {
    int start = lines.indexOf("\n" + indent + key + "  ");
    if (start < 0) {
      return Optional.empty();
    }
    int end = start;
    do {
      end = lines.indexOf('\n', end + 1);
    } while (end >= 0
        && (lines.startsWith(indent + "\t", end + 1) || lines.startsWith("#", end + 1)));
    return Optional.of(lines.substring(start, end < 0 ? lines.length() : end));
  }

  /** The name in the first line; the text was read as bytes. */
  private static String title(String part) {
    int end = part.indexOf('\n', 1);
    String line = part.substring(1, end < 0 ? part.length() : end);
    String name = line.substring(line.indexOf("  ") + 2).strip();
    return new String(name.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  private Optional<String> text() {
    if (!read) {
      read = true;
      text = files.stream().map(PciIds::read).flatMap(Optional::stream).findFirst();
    }
    return text;
  }

  /** One char for each byte: the keys are ASCII, and a name is decoded when it is wanted. */
  private static Optional<String> read(Path file) {
    try {
      return Optional.of("\n" + Files.readString(file, StandardCharsets.ISO_8859_1));
    } catch (IOException e) {
      return Optional.empty(); // names are a comfort, not a need
    }
  }
}
