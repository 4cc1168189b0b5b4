package io.github.vfio4j.mapping;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MemlockLimitException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;

/** Says what a backend's refusal to map means. */
final class NotMappable {
  private NotMappable() {}

  static VfioException of(
      Ioctl operation, String object, int answer, IovaRange range, MemlockLimit memlock) {
    Errno errno = new Errno(-answer);
    if (errno.equals(Errno.EEXIST)) {
      return new IovaInUseException(
          operation.name(), object, errno, range + " is mapped already, in whole or in part");
    }
    if (errno.equals(Errno.EADDRINUSE)) {
      return new IovaOutOfRangeException(
          operation.name(), object, errno, range + " is reserved, in whole or in part");
    }
    if (errno.equals(Errno.ENOSPC) && operation == Ioctl.VFIO_IOMMU_MAP_DMA) {
      return new VfioException(
          operation.name(),
          object,
          errno,
          range
              + " is one mapping more than a container may have; use fewer and larger ones, raise"
              + " vfio_iommu_type1.dma_entry_limit (65535 unless set), or use iommufd");
    }
    if (errno.equals(Errno.ENOMEM) && !memlock.limits()) {
      return new VfioException(
          operation.name(), object, errno, "cannot pin the memory of " + range + ": " + memlock);
    }
    if (errno.equals(Errno.ENOMEM)) {
      return new MemlockLimitException(
          operation.name(), object, errno, "cannot pin the memory of " + range + ": " + memlock);
    }
    if (errno.equals(Errno.ENODEV) && operation == Ioctl.IOMMU_IOAS_MAP_FILE) {
      return new NoSuchDeviceException(
          operation.name(),
          object,
          errno,
          range
              + " would be memory of a device that has been taken away: the device is closed, or"
              + " its memory is switched off (see ConfigSpace.setMemoryEnabled)");
    }
    if (errno.equals(Errno.EFAULT)) {
      return new VfioException(
          operation.name(),
          object,
          errno,
          "the memory for " + range + " is not there, or not writable as asked");
    }
    return Answer.failure(operation, object, answer, range.toString());
  }
}
