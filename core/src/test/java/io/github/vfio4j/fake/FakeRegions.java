package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import java.lang.foreign.MemorySegment;

/** The regions of a device: what is read from them is zero. */
public final class FakeRegions {
  public static final int COUNT = vfio_h.VFIO_PCI_NUM_REGIONS;

  /** Bytes of each. */
  public static final int SIZE = 8192;

  private static final int OFFSET_SHIFT = 40;

  private final DeviceMappings mappings;

  FakeRegions(DeviceMappings mappings) {
    this.mappings = mappings;
  }

  int info(MemorySegment info) {
    int index = vfio_region_info.index(info);
    if (index < 0 || index >= COUNT) {
      return -Errno.EINVAL.number();
    }
    vfio_region_info.flags(
        info,
        vfio_h.VFIO_REGION_INFO_FLAG_READ
            | vfio_h.VFIO_REGION_INFO_FLAG_WRITE
            | vfio_h.VFIO_REGION_INFO_FLAG_MMAP);
    vfio_region_info.size(info, SIZE);
    vfio_region_info.offset(info, (long) index << OFFSET_SHIFT);
    return 0;
  }

  long read(MemorySegment buffer) {
    buffer.fill((byte) 0);
    return buffer.byteSize();
  }

  long map(long address, long length, int protection, int flags) {
    return mappings.map(address, length, protection, flags);
  }
}
