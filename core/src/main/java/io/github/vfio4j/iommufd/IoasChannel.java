package io.github.vfio4j.iommufd;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.bindings.iommu_ioas_copy;
import io.github.vfio4j.bindings.iommu_ioas_map;
import io.github.vfio4j.bindings.iommu_ioas_map_file;
import io.github.vfio4j.bindings.iommu_ioas_unmap;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.RepeatedRequest;
import io.github.vfio4j.linux.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The mapping calls of one IOAS. Those that map memory and unmap are hot code: they use structures
 * that are allocated once, under the lock of the address space, and hold the file for its whole
 * life. Both may be asked twice: the kernel undoes a mapping that it cannot finish, and refuses to
 * unmap one before it touches it. Where it has unmapped some of a range by then, it refuses the
 * rest for the same reason again.
 */
final class IoasChannel implements AddressSpaceChannel {
  private final Kernel kernel;
  private final Fd file;
  private final int fd;
  private final int id;
  private final RepeatedRequest map = new RepeatedRequest(iommu_ioas_map.LAYOUT);
  private final RepeatedRequest unmap = new RepeatedRequest(iommu_ioas_unmap.LAYOUT);

  /** Holds the file until {@link #release}. */
  IoasChannel(Kernel kernel, Fd file, int id) {
    this.kernel = kernel;
    this.file = file;
    this.fd = file.acquire();
    this.id = id;
    iommu_ioas_map.ioas_id(map.memory(), id);
    iommu_ioas_unmap.ioas_id(unmap.memory(), id);
  }

  /** Lets go of the file. */
  void release() {
    file.release();
  }

  /** Issues an ioctl, and answers as the kernel does. */
  int ioctl(Ioctl operation, MemorySegment request) {
    return kernel.ioctl(fd, operation.number(), request);
  }

  @Override
  public Ioctl mapOperation() {
    return Ioctl.IOMMU_IOAS_MAP;
  }

  @Override
  public Ioctl unmapOperation() {
    return Ioctl.IOMMU_IOAS_UNMAP;
  }

  @Override
  public int map(long iova, long size, MemorySegment memory, DmaAccess access) {
    map.setInt(iommu_ioas_map.flags$OFFSET, flags(access));
    map.setLong(iommu_ioas_map.user_va$OFFSET, memory.address());
    map.setLong(iommu_ioas_map.length$OFFSET, size);
    map.setLong(iommu_ioas_map.iova$OFFSET, iova);
    return kernel.repeatableIoctl(fd, Ioctl.IOMMU_IOAS_MAP.number(), map.memory());
  }

  @Override
  public long unmap(long iova, long size) {
    unmap.setLong(iommu_ioas_unmap.iova$OFFSET, iova);
    unmap.setLong(iommu_ioas_unmap.length$OFFSET, size);
    int answer = kernel.repeatableIoctl(fd, Ioctl.IOMMU_IOAS_UNMAP.number(), unmap.memory());
    return answer < 0
        ? answer
        : AddressSpaceChannel.answerOf(unmap.getLong(iommu_ioas_unmap.length$OFFSET));
  }

  @Override
  public int unmapAll() {
    unmap.setLong(iommu_ioas_unmap.iova$OFFSET, 0);
    unmap.setLong(iommu_ioas_unmap.length$OFFSET, -1);
    return kernel.ioctl(fd, Ioctl.IOMMU_IOAS_UNMAP.number(), unmap.memory());
  }

  /** Maps a part of a file. */
  int mapFile(int mapped, long offset, long iova, long size, DmaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, iommu_ioas_map_file.LAYOUT);
      iommu_ioas_map_file.flags(request, flags(access));
      iommu_ioas_map_file.ioas_id(request, id);
      iommu_ioas_map_file.fd(request, mapped);
      iommu_ioas_map_file.start(request, offset);
      iommu_ioas_map_file.length(request, size);
      iommu_ioas_map_file.iova(request, iova);
      return ioctl(Ioctl.IOMMU_IOAS_MAP_FILE, request);
    }
  }

  /** Maps what is mapped in another IOAS. */
  int copy(int source, long sourceIova, long iova, long size, DmaAccess access) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = Request.of(arena, iommu_ioas_copy.LAYOUT);
      iommu_ioas_copy.flags(request, flags(access));
      iommu_ioas_copy.dst_ioas_id(request, id);
      iommu_ioas_copy.src_ioas_id(request, source);
      iommu_ioas_copy.length(request, size);
      iommu_ioas_copy.dst_iova(request, iova);
      iommu_ioas_copy.src_iova(request, sourceIova);
      return ioctl(Ioctl.IOMMU_IOAS_COPY, request);
    }
  }

  private static int flags(DmaAccess access) {
    return iommufd_h.IOMMU_IOAS_MAP_FIXED_IOVA
        | (access.readable() ? iommufd_h.IOMMU_IOAS_MAP_READABLE : 0)
        | (access.writable() ? iommufd_h.IOMMU_IOAS_MAP_WRITEABLE : 0);
  }
}
