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

/** Turns what went wrong with a file of sysfs into what went wrong with the device. */
final class FileFailure {

  private static final Errno EROFS = new Errno(30);
  private static final String GONE = "it is not there, or has just gone";

  private FileFailure() {}

  /**
   * Describes a reading that failed. Of most reasons Java gives the C library's words alone, which
   * are in the user's language: they are passed on, and nothing is told from them.
   */
  static VfioException reading(String operation, String object, IOException cause) {
    VfioException failure =
        switch (cause) {
          case NoSuchFileException _ ->
              new NoSuchDeviceException(operation, object, Errno.ENOENT, GONE);
          case AccessDeniedException _ ->
              new NotPermittedException(
                  operation, object, Errno.EACCES, "this user may not read it");
          default -> new VfioException(operation, object, null, words(cause));
        };
    failure.initCause(cause);
    return failure;
  }

  private static String words(IOException cause) {
    String words =
        cause instanceof FileSystemException failure ? failure.getReason() : cause.getMessage();
    return words == null ? cause.toString() : words;
  }

  /**
   * Describes a writing that the kernel has refused.
   *
   * @param root whether root has asked
   */
  static VfioException writing(String operation, String object, Errno errno, boolean root) {
    if (errno.equals(Errno.ENODEV) || errno.equals(Errno.ENOENT) || errno.equals(Errno.ENXIO)) {
      return new NoSuchDeviceException(operation, object, errno, GONE);
    }
    if (errno.equals(Errno.EACCES) || errno.equals(Errno.EPERM)) {
      String why =
          root
              ? "not even root may do this here: a container or a security module forbids it"
              : "sysfs lets only root do this";
      return new NotPermittedException(operation, object, errno, why);
    }
    if (errno.equals(Errno.EBUSY)) {
      return new DeviceBusyException(operation, object, errno, "the kernel has it in use");
    }
    if (errno.equals(EROFS)) {
      return new NotPermittedException(
          operation, object, errno, "sysfs is mounted read-only here, as in most containers");
    }
    return new VfioException(operation, object, errno, "");
  }

  static VfioException malformed(
      String object, String attribute, String value, RuntimeException cause) {
    VfioException failure =
        new VfioException(
            "read " + attribute, object, null, "the kernel's answer makes no sense: " + value);
    failure.initCause(cause);
    return failure;
  }
}
