package io.github.vfio4j.fake;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which file each descriptor is of. The numbers are the real kernel's, so that it can poll them; a
 * file is closed with the last one that it has.
 */
final class OpenFiles {
  private record Open(FakeFile file, String name, @Nullable DeviceNumber number) {}

  private static final FakeFile NONE = new FakeFile() {};
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final Kernel real;
  private final Map<Integer, Open> files = new TreeMap<>();
  private boolean confined;

  OpenFiles(Kernel real) {
    this.real = real;
  }

  /** Opens a file that only this package knows. */
  int open(FakeFile file, String name, @Nullable DeviceNumber number) {
    String unique =
        "fake file " + COUNT.incrementAndGet(); // that it is known by when it was passed
    return add(real.memfdCreate(unique, 0), new Open(file, name, number));
  }

  /** Takes over what the real kernel has opened, or hands on that it refused. */
  int add(int fd, FakeFile file, String name) {
    return add(fd, new Open(file, name, null));
  }

  private synchronized int add(int fd, Open open) {
    if (fd >= 0) {
      files.put(fd, open);
    }
    return fd;
  }

  synchronized int duplicate(int fd) {
    Open open = files.get(fd);
    if (open == null) {
      open = passed(fd);
    }
    return open == null ? -Errno.EBADF.number() : add(real.duplicate(fd), open);
  }

  /** Looks for what a descriptor is of that came through a socket. */
  private @Nullable Open passed(int fd) {
    String wanted = identity(fd);
    return files.entrySet().stream()
        .filter(each -> identity(each.getKey()).equals(wanted))
        .findFirst()
        .map(Map.Entry::getValue)
        .orElse(null);
  }

  private static String identity(int fd) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd))
          + Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
              .filter(line -> line.startsWith("eventfd-id"))
              .toList()
              .toString();
    } catch (IOException e) {
      return "none";
    }
  }

  synchronized FakeFile get(int fd) {
    Open open = files.get(fd);
    return open == null ? NONE : open.file;
  }

  synchronized boolean has(int fd) {
    return files.containsKey(fd);
  }

  /** Returns the number of the device node that was opened, if it was one. */
  synchronized @Nullable DeviceNumber number(int fd) {
    Open open = files.get(fd);
    return open == null ? null : open.number;
  }

  /** Closes no more what it has not opened: a hostile reply can name any descriptor of the JVM. */
  synchronized void confine() {
    confined = true;
  }

  synchronized boolean isConfined() {
    return confined;
  }

  synchronized void closeAll() {
    List.copyOf(files.keySet()).forEach(this::close);
  }

  synchronized int close(int fd) {
    Open closed = files.remove(fd);
    if (closed == null && confined) {
      return -Errno.EBADF.number();
    }
    if (closed != null && all().noneMatch(closed.file::equals)) {
      closed.file.closed();
    }
    return real.close(fd);
  }

  private Stream<FakeFile> all() {
    return files.values().stream().map(Open::file);
  }

  /** Returns the open files of one kind, by their first descriptors. */
  synchronized <T extends FakeFile> List<T> ofKind(Class<T> kind) {
    return all().filter(kind::isInstance).map(kind::cast).distinct().toList();
  }

  synchronized List<String> left() {
    List<String> left = new ArrayList<>();
    files.forEach((fd, open) -> left.add("fd " + fd + " of " + open.name));
    Set<FakeFile> each = new LinkedHashSet<>(all().toList());
    each.forEach(file -> left.addAll(file.left()));
    return left;
  }
}
