package io.github.vfio4j.opening;

import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * The host's files that tell something, for one judgement. One that cannot be read tells nothing.
 */
public final class HostFiles {

  /** What comes of opening a node for reading and writing. */
  public enum Attempt {
    /** It opened, and is closed again. */
    OPENED,
    /** There is no such node. */
    MISSING,
    /** This user may not. */
    REFUSED,
    /** It is there and may be opened, but not now: somebody has it open alone. */
    BUSY
  }

  /** Opens a node to see what comes of it. */
  @FunctionalInterface
  public interface Opener {
    Attempt attempt(Path node);
  }

  /** The module whose parameters count for devices opened through iommufd. */
  public static final String IOMMUFD = "iommufd";

  /** The module whose parameters count for devices in a container. */
  public static final String CONTAINER = "vfio_iommu_type1";

  private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4})");

  private final Sysfs sysfs;
  private final Opener opener;
  private final Map<Path, Attempt> attempts = new HashMap<>();

  public HostFiles(Sysfs sysfs) {
    this(sysfs, HostFiles::open);
  }

  /** Lets a test say what comes of opening nodes. */
  public HostFiles(Sysfs sysfs, Opener opener) {
    this.sysfs = sysfs;
    this.opener = opener;
  }

  /** Opens it, which changes nothing: what a device does begins with what is asked of the file. */
  private static Attempt open(Path node) {
    try (var opened =
        Files.newByteChannel(node, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return opened.isOpen() ? Attempt.OPENED : Attempt.BUSY;
    } catch (NoSuchFileException e) {
      return Attempt.MISSING;
    } catch (AccessDeniedException e) {
      return Attempt.REFUSED;
    } catch (IOException e) {
      // Java has words for the other errors, not numbers; a device that is denied as a whole, as
      // in a container, is refused though its permissions allow it
      return Files.exists(node) ? Attempt.BUSY : Attempt.MISSING;
    }
  }

  public Sysfs sysfs() {
    return sysfs;
  }

  public boolean exists(String path) {
    return Files.exists(at(path));
  }

  private boolean isYes(String parameter) {
    return text(parameter).filter(value -> value.equals("Y")).isPresent();
  }

  public boolean allowsNoIommu() {
    return isYes("sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  }

  /** Returns whether a module takes devices whose interrupts are not isolated. */
  public boolean allowsUnsafeInterrupts(String module) {
    return isYes("sys/module/" + module + "/parameters/allow_unsafe_interrupts");
  }

  /** Returns whether the parameters of modules can be seen here at all. */
  public boolean showsModules() {
    return exists("sys/module");
  }

  /** Returns whether the running kernel is older than a release, as far as it tells. */
  public boolean isKernelBefore(int major, int minor) {
    Matcher release = RELEASE.matcher(text("proc/sys/kernel/osrelease").orElse(""));
    if (!release.lookingAt()) {
      return false;
    }
    int running = Integer.parseInt(release.group(1));
    return running < major || (running == major && Integer.parseInt(release.group(2)) < minor);
  }

  /** Opens a node the first time that it is asked about: one judgement sees it in one state. */
  public Attempt attempt(Path node) {
    return attempts.computeIfAbsent(node, opener::attempt);
  }

  public Path at(String path) {
    return sysfs.root().resolve(path);
  }

  /** Returns a file's text, without what is no text. */
  public Optional<String> text(String path) {
    try {
      return Optional.of(new String(Files.readAllBytes(at(path)), StandardCharsets.UTF_8).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  public Optional<String> unzipped(String path) {
    try (var zipped = new GZIPInputStream(Files.newInputStream(at(path)))) {
      return Optional.of(new String(zipped.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  public List<String> names(String directory) {
    try (Stream<Path> entries = Files.list(at(directory))) {
      return entries.map(entry -> String.valueOf(entry.getFileName())).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      return List.of();
    }
  }
}
