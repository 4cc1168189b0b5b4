package io.github.vfio4j.iommufd;

import io.github.vfio4j.Errno;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.mapping.MemlockLimit;
import org.jspecify.annotations.Nullable;

/** What refusals to pin mean: an IOAS looks for its pages when it gets its first page table. */
final class Pinning {
  private Pinning() {}

  /** Returns what an answer means where the kernel has to pin all that is mapped, or null. */
  static @Nullable VfioException failure(
      Kernel kernel, Ioctl operation, String object, int answer) {
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.ENOMEM)) {
      return new MemlockLimitException(
          operation.name(),
          object,
          errno,
          "cannot pin the memory that is mapped there: " + MemlockLimit.current(kernel));
    }
    if (errno.equals(Errno.EFAULT)) {
      return new VfioException(
          operation.name(),
          object,
          errno,
          "memory that is mapped there is gone from this process, or not writable as mapped");
    }
    return null;
  }
}
