package io.github.vfio4j.cli.host;

import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;

/** A file for what was in a device. It is written whole, or not there at all. */
public final class WholeFile {
  /** What is in a device is its user's business alone. */
  private static final String OWNER_ALONE = "rw-------";

  private final Path file;
  private final boolean force;

  private WholeFile(Path file, boolean force) {
    this.file = file;
    this.force = force;
  }

  /** Writes its content, and returns how many bytes it were. */
  @FunctionalInterface
  public interface Filling {
    long fill(WritableByteChannel channel) throws IOException;
  }

  /**
   * Looks whether a file can be written, before anything is done for it.
   *
   * @param force whether one that is there is replaced
   */
  public static WholeFile of(Path file, boolean force) throws IOException {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      if (!force) {
        throw refusal(file, "it is there already; --force replaces it");
      }
      if (!Files.isRegularFile(file)) {
        throw refusal(file, "it is no regular file, and is not replaced");
      }
      return new WholeFile(file.toRealPath(), true);
    }
    Path directory = directory(file);
    if (!Files.isDirectory(directory)) {
      throw refusal(file, "there is no directory " + directory);
    }
    return new WholeFile(file.toAbsolutePath(), force);
  }

  /** Opens one to be read. */
  public static FileChannel read(Path file) throws IOException {
    try {
      if (Files.isDirectory(file)) {
        throw new VfioException("read", file.toString(), null, "it is a directory");
      }
      return FileChannel.open(file, StandardOpenOption.READ);
    } catch (FileSystemException e) {
      throw failure("read", file, e);
    }
  }

  private static Path directory(Path file) {
    Path directory = file.toAbsolutePath().getParent();
    return directory == null ? file : directory; // the root of the file system is no file
  }

  private static VfioException refusal(Path file, String reason) {
    return new VfioException("write", file.toString(), null, reason);
  }

  /** Writes another file beside it, which takes its place when it is complete. */
  public long fill(Filling filling) throws IOException {
    Path part = directory(file).resolve("." + file.getFileName() + "." + UUID.randomUUID());
    try {
      long bytes = write(part, filling);
      publish(part);
      return bytes;
    } catch (FileSystemException e) {
      throw failure("write", file, e);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static long write(Path part, Filling filling) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            part,
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(OWNER_ALONE)))) {
      long bytes = filling.fill(channel);
      channel.force(true);
      return bytes;
    }
  }

  /** A link, unlike a move, replaces nothing that has come up meanwhile. */
  private void publish(Path part) throws IOException {
    if (force) {
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      return;
    }
    try {
      Files.createLink(file, part);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | FileSystemException _) {
      Files.move(part, file); // some file systems have no links
    }
  }

  private static VfioException failure(String operation, Path file, FileSystemException e) {
    VfioException failure =
        switch (e) {
          case AccessDeniedException _ ->
              new NotPermittedException(
                  operation, file.toString(), null, "this user may not " + operation + " it");
          case NoSuchFileException _ ->
              new VfioException(operation, file.toString(), null, "there is no such file");
          case FileAlreadyExistsException _ ->
              new VfioException(operation, file.toString(), null, "it has come up meanwhile");
          default ->
              new VfioException(
                  operation,
                  file.toString(),
                  null,
                  e.getReason() == null ? e.toString() : e.getReason());
        };
    failure.initCause(e);
    return failure;
  }
}
