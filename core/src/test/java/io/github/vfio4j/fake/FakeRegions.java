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

  /** A region that is there, though it is not counted. */
  public static final int NAMED = 16;

  private final DeviceMappings mappings;
  private final Map<Integer, Integer> access = new HashMap<>();

  private final Map<Integer, byte[]> chains = new HashMap<>();
  private int count = COUNT;

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

  /** Lets there be more regions than a PCI device has. */
  public void count(int regions) {
    count = regions;
  }

  int count() {
    return count;
  }

  /**
   * Gives a region capabilities.
   *
   * @param chain what follows the structure; the offsets in it are from the start of that
   */
  public void capabilities(int index, byte... chain) {
    chains.put(index, chain);
  }

  int info(MemorySegment info) {
    int index = vfio_region_info.index(info);
    if (index < 0 || index >= Math.max(count, NAMED + 1)) {
      return -Errno.EINVAL.number();
    }
    byte[] chain = chains.getOrDefault(index, new byte[0]);
    long room = Integer.toUnsignedLong(vfio_region_info.argsz(info));
    long needed = vfio_region_info.SIZEOF + chain.length;
    int flags = access(index) | vfio_h.VFIO_REGION_INFO_FLAG_MMAP;
    if (chain.length > 0) {
      flags |= vfio_h.VFIO_REGION_INFO_FLAG_CAPS;
      vfio_region_info.argsz(info, (int) needed);
      if (room >= needed) {
        vfio_region_info.cap_offset(info, (int) vfio_region_info.SIZEOF);
        info.asSlice(vfio_region_info.SIZEOF).copyFrom(MemorySegment.ofArray(chain));
      }
    }
    vfio_region_info.flags(info, flags);
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
