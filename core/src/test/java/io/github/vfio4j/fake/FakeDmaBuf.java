package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;

/** Memory of a device as a file, which can be mapped into this process. */
final class FakeDmaBuf extends FakeFile {
  private final FakeRegions regions;

  FakeDmaBuf(FakeRegions regions) {
    super("DMA_BUF_");
    this.regions = regions;
  }

  @Override
  int ioctl(Ioctl operation, MemorySegment argument) {
    return 0;
  }

  @Override
  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return regions.map(address, length, protection, flags, offset);
  }
}
