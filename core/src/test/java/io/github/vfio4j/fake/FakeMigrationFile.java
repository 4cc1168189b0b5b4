package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_precopy_info;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;

/** The file of a device's data, of use until the device leaves the states that have one. */
final class FakeMigrationFile extends FakeFile {
  private final FakeMigration migration;
  private boolean disabled;

  FakeMigrationFile(FakeMigration migration) {
    super("VFIO_MIG_");
    this.migration = migration;
  }

  void disable() {
    disabled = true;
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    if (!migration.isInPrecopy()) {
      return refused(Errno.EINVAL);
    }
    vfio_precopy_info.initial_bytes(argument, migration.initialLeft());
    vfio_precopy_info.dirty_bytes(argument, migration.dirtyLeft());
    vfio_precopy_info.flags(argument, migration.infoFlags());
    return 0;
  }

  @Override
  long read(int fd, MemorySegment buffer) {
    return disabled ? refused(Errno.ENODEV) : migration.read(buffer);
  }

  @Override
  long write(int fd, MemorySegment buffer) {
    return disabled ? refused(Errno.ENODEV) : migration.write(buffer);
  }
}
