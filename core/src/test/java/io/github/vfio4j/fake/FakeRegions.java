package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_region_info;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** The regions of a device: what is read from them is zero. */
public final class FakeRegions {
  public static final int COUNT = vfio_h.VFIO_PCI_NUM_REGIONS;

  /** Bytes of each. */
  public static final int SIZE = 8192;

  private static final int OFFSET_SHIFT = 40;

  private static final int READ = vfio_h.VFIO_REGION_INFO_FLAG_READ;
  private static final int WRITE = vfio_h.VFIO_REGION_INFO_FLAG_WRITE;

  private final DeviceMappings mappings;
  private final Map<Integer, Integer> access = new HashMap<>();

  FakeRegions(DeviceMappings mappings) {
    this.mappings = mappings;
  }

  /** Lets a region be read and written, which all can otherwise, or only one of it. */
  public void access(int index, boolean readable, boolean writable) {
    access.put(index, (readable ? READ : 0) | (writable ? WRITE : 0));
  }

  private int access(int index) {
    return access.getOrDefault(index, READ | WRITE);
  }

  private boolean allows(long offset, int wanted) {
    return (access((int) (offset >> OFFSET_SHIFT)) & wanted) == wanted;
  }

  int info(MemorySegment info) {
    int index = vfio_region_info.index(info);
    if (index < 0 || index >= COUNT) {
      return -Errno.EINVAL.number();
    }
    vfio_region_info.flags(info, access(index) | vfio_h.VFIO_REGION_INFO_FLAG_MMAP);
    vfio_region_info.size(info, SIZE);
    vfio_region_info.offset(info, (long) index << OFFSET_SHIFT);
    return 0;
  }

  long read(MemorySegment buffer, long offset) {
    if (!allows(offset, READ)) {
      return -Errno.EINVAL.number();
    }
    buffer.fill((byte) 0);
    return buffer.byteSize();
  }

  long write(MemorySegment buffer, long offset) {
    return allows(offset, WRITE) ? buffer.byteSize() : -Errno.EINVAL.number();
  }

  /** Maps a part of a region with the protection that is asked for, if the region has it. */
  long map(long address, long length, int protection, int flags, long offset) {
    int wanted =
        ((protection & DeviceMappings.PROT_READ) != 0 ? READ : 0)
            | ((protection & DeviceMappings.PROT_WRITE) != 0 ? WRITE : 0);
    return allows(offset, wanted)
        ? mappings.map(address, length, protection, flags)
        : -Errno.EINVAL.number();
  }
}
