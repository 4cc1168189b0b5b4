package io.github.vfio4j.container;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The mapping calls of one container. Those that map memory and unmap are hot code: they use
 * structures that are allocated once, under the lock of the address space, and hold the file for
 * its whole life.
 */
final class ContainerChannel implements AddressSpaceChannel {
  /** Knows the groups of the container. */
  interface Groups {
    /** Returns whether there is none, as far as is known. */
    boolean none();

    /** Asks the kernel, and returns whether with the last group all mappings have gone, too. */
    boolean tookTheMappings();
  }

  private final Kernel kernel;
  private final Fd file;
  private final int fd;
  private final Groups groups;
  private final MemorySegment mapRequest =
      Request.of(Arena.ofAuto(), vfio_iommu_type1_dma_map.LAYOUT);
  private final MemorySegment unmapRequest =
      Request.of(Arena.ofAuto(), vfio_iommu_type1_dma_unmap.LAYOUT);

  /** Holds the file until {@link #release}. */
  ContainerChannel(Kernel kernel, Fd file, Groups groups) {
    this.kernel = kernel;
    this.file = file;
    this.fd = file.acquire();
    this.groups = groups;
  }

  /** Lets go of the file. */
  void release() {
    file.release();
  }

  /** Returns the number of the file, which is held. */
  int fd() {
    return fd;
  }

  @Override
  public Ioctl mapOperation() {
    return Ioctl.VFIO_IOMMU_MAP_DMA;
  }

  @Override
  public Ioctl unmapOperation() {
    return Ioctl.VFIO_IOMMU_UNMAP_DMA;
  }

  @Override
  public @Nullable String obstacle() {
    return groups.none()
        ? "has no group yet, so the kernel cannot map: open a device in it first"
        : null;
  }

  @Override
  public int map(long iova, long size, MemorySegment memory, DmaAccess access) {
    int flags =
        (access.readable() ? vfio_h.VFIO_DMA_MAP_FLAG_READ : 0)
            | (access.writable() ? vfio_h.VFIO_DMA_MAP_FLAG_WRITE : 0);
    vfio_iommu_type1_dma_map.flags(mapRequest, flags);
    vfio_iommu_type1_dma_map.vaddr(mapRequest, memory.address());
    vfio_iommu_type1_dma_map.iova(mapRequest, iova);
    vfio_iommu_type1_dma_map.size(mapRequest, size);
    return kernel.ioctl(fd, Ioctl.VFIO_IOMMU_MAP_DMA.number(), mapRequest);
  }

  @Override
  public long unmap(long iova, long size) {
    int answer = unmap(0, iova, size);
    if (answer >= 0) {
      return vfio_iommu_type1_dma_unmap.size(unmapRequest);
    }
    return groups.tookTheMappings() ? size : answer;
  }

  @Override
  public int unmapAll() {
    int answer = unmap(vfio_h.VFIO_DMA_UNMAP_FLAG_ALL, 0, 0);
    return answer < 0 && groups.tookTheMappings() ? 0 : answer;
  }

  private int unmap(int flags, long iova, long size) {
    vfio_iommu_type1_dma_unmap.flags(unmapRequest, flags);
    vfio_iommu_type1_dma_unmap.iova(unmapRequest, iova);
    vfio_iommu_type1_dma_unmap.size(unmapRequest, size);
    return kernel.ioctl(fd, Ioctl.VFIO_IOMMU_UNMAP_DMA.number(), unmapRequest);
  }
}
