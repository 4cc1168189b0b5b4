package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns what went wrong with a file of sysfs into what went wrong with the device. */
final class FileFailure {

  private static final Errno EROFS = new Errno(30);

  /** Java's file API gives the kernel's answer as the C library's words for it. */
  private static final Map<String, Errno> BY_WORDS =
      Map.of(
          "Operation not permitted", Errno.EPERM,
          "No such file or directory", Errno.ENOENT,
          "Input/output error", Errno.EIO,
          "Permission denied", Errno.EACCES,
          "Device or resource busy", Errno.EBUSY,
          "File exists", Errno.EEXIST,
          "No such device", Errno.ENODEV,
          "Invalid argument", Errno.EINVAL,
          "No space left on device", Errno.ENOSPC,
          "Read-only file system", EROFS);

  private FileFailure() {}

  static VfioException of(String operation, String object, IOException cause) {
    Errno errno = errno(cause);
    VfioException failure;
    if (Errno.ENODEV.equals(errno) || Errno.ENOENT.equals(errno)) {
      failure =
          new NoSuchDeviceException(operation, object, errno, "it is not there, or has just gone");
    } else if (Errno.EACCES.equals(errno) || Errno.EPERM.equals(errno)) {
      failure = new NotPermittedException(operation, object, errno, "sysfs lets only root do this");
    } else if (Errno.EBUSY.equals(errno)) {
      failure = new DeviceBusyException(operation, object, errno, "the kernel has it in use");
    } else if (EROFS.equals(errno)) {
      failure =
          new NotPermittedException(
              operation, object, errno, "sysfs is mounted read-only here, as in most containers");
    } else {
      failure = new VfioException(operation, object, errno, errno == null ? words(cause) : "");
    }
    failure.initCause(cause);
    return failure;
  }

  static VfioException malformed(
      String object, String attribute, String value, RuntimeException cause) {
    VfioException failure =
        new VfioException(
            "read " + attribute, object, null, "the kernel's answer makes no sense: " + value);
    failure.initCause(cause);
    return failure;
  }

  static @Nullable Errno errno(IOException cause) {
    return switch (cause) {
      case AccessDeniedException e -> Errno.EACCES;
      case NoSuchFileException e -> Errno.ENOENT;
      default -> BY_WORDS.get(words(cause));
    };
  }

  private static String words(IOException cause) {
    String words =
        cause instanceof FileSystemException failure ? failure.getReason() : cause.getMessage();
    return words == null ? cause.toString() : words;
  }
}
