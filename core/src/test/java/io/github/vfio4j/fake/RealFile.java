package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.MemorySegment;

/** A file of the real kernel's: memory, an eventfd, or epoll. */
final class RealFile extends FakeFile {
  private final Kernel real;
  private final DeviceMappings deviceMappings;

  RealFile(Kernel real, DeviceMappings deviceMappings) {
    this.real = real;
    this.deviceMappings = deviceMappings;
  }

  @Override
  long read(int fd, MemorySegment buffer) {
    return real.read(fd, buffer);
  }

  @Override
  long write(int fd, MemorySegment buffer) {
    return real.write(fd, buffer);
  }

  @Override
  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return deviceMappings.mapMemory(address, length, protection, flags, fd, offset);
  }
}
