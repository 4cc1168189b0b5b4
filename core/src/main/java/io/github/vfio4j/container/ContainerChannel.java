package io.github.vfio4j.container;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_map;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.RepeatedRequest;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;

/**
 * The mapping calls of one container. Those that map memory and unmap are hot code: they use
 * structures that are allocated once, under the lock of the address space, and hold the file for
 * its whole life. Both may be asked twice: the kernel undoes a mapping that it cannot finish, and
 * refuses to unmap a range before it touches it. Moving and unmapping by flags may not.
 */
final class ContainerChannel implements AddressSpaceChannel {
  private final Kernel kernel;
  private final Fd file;
  private final int fd;
  private final BooleanSupplier mappingsWentWithTheGroups;
  private final RepeatedRequest map = new RepeatedRequest(vfio_iommu_type1_dma_map.LAYOUT);
  private final RepeatedRequest unmap = new RepeatedRequest(vfio_iommu_type1_dma_unmap.LAYOUT);

  /**
   * Holds the file until {@link #release}.
   *
   * @param mappingsWentWithTheGroups asks the kernel after a refusal whether the last group has
   *     gone, and all mappings with it
   */
  ContainerChannel(Kernel kernel, Fd file, BooleanSupplier mappingsWentWithTheGroups) {
    this.kernel = kernel;
    this.file = file;
    this.fd = file.acquire();
    this.mappingsWentWithTheGroups = mappingsWentWithTheGroups;
  }

  /** Lets go of the file. */
  void release() {
    file.release();
  }

  /** Returns the number of the file, which is held. */
  int fd() {
    return fd;
  }

  /** Issues an ioctl, and answers as the kernel does. */
  int ioctl(Ioctl operation, MemorySegment request) {
    return kernel.ioctl(fd, operation.number(), request);
  }

  /** Asks for an extension. */
  int extension(int number) {
    return kernel.ioctl(fd, Ioctl.VFIO_CHECK_EXTENSION.number(), number);
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
  public int map(long iova, long size, MemorySegment memory, DmaAccess access) {
    int flags =
        (access.readable() ? vfio_h.VFIO_DMA_MAP_FLAG_READ : 0)
            | (access.writable() ? vfio_h.VFIO_DMA_MAP_FLAG_WRITE : 0);
    map.setInt(vfio_iommu_type1_dma_map.flags$OFFSET, flags);
    map.setLong(vfio_iommu_type1_dma_map.vaddr$OFFSET, memory.address());
    map.setLong(vfio_iommu_type1_dma_map.iova$OFFSET, iova);
    map.setLong(vfio_iommu_type1_dma_map.size$OFFSET, size);
    return kernel.repeatableIoctl(fd, Ioctl.VFIO_IOMMU_MAP_DMA.number(), map.memory());
  }

  @Override
  public long unmap(long iova, long size) {
    prepareUnmap(0, iova, size);
    int answer = kernel.repeatableIoctl(fd, Ioctl.VFIO_IOMMU_UNMAP_DMA.number(), unmap.memory());
    if (answer >= 0) {
      return AddressSpaceChannel.answerOf(unmap.getLong(vfio_iommu_type1_dma_unmap.size$OFFSET));
    }
    return mappingsWentWithTheGroups.getAsBoolean() ? size : answer;
  }

  @Override
  public int unmapAll() {
    int answer = unmap(vfio_h.VFIO_DMA_UNMAP_FLAG_ALL, 0, 0);
    return answer < 0 && mappingsWentWithTheGroups.getAsBoolean() ? 0 : answer;
  }

  /** Unmaps what is left where all groups are closed here: nothing, unless others have one open. */
  int unmapLeftovers() {
    int answer = unmap(vfio_h.VFIO_DMA_UNMAP_FLAG_ALL, 0, 0);
    boolean went = Answer.is(answer, Errno.EINVAL) || Answer.is(answer, Errno.ENOTTY);
    return went ? 0 : answer;
  }

  /**
   * Tells the kernel of another address of mapped memory: first that the old one is void, then the
   * new one. If that is refused the old one counts again.
   *
   * @return the kernel's answer
   * @throws VfioException if the kernel does not take the old one back either
   */
  int move(long iova, long size, MemorySegment memory, MemorySegment old) throws VfioException {
    int answer = unmap(vfio_h.VFIO_DMA_UNMAP_FLAG_VADDR, iova, size);
    if (answer < 0) {
      return answer;
    }
    answer = setAddress(iova, memory);
    int undone = answer < 0 ? setAddress(iova, old) : 0;
    if (undone < 0) {
      throw Answer.failure(
          Ioctl.VFIO_IOMMU_MAP_DMA,
          file.object(),
          undone,
          "what is mapped at 0x%x has no address any more, for the new one was refused by %s"
              .formatted(iova, new Errno(-answer)));
    }
    return answer;
  }

  private int setAddress(long iova, MemorySegment memory) {
    map.setInt(vfio_iommu_type1_dma_map.flags$OFFSET, vfio_h.VFIO_DMA_MAP_FLAG_VADDR);
    map.setLong(vfio_iommu_type1_dma_map.vaddr$OFFSET, memory.address());
    map.setLong(vfio_iommu_type1_dma_map.iova$OFFSET, iova);
    map.setLong(vfio_iommu_type1_dma_map.size$OFFSET, memory.byteSize());
    return kernel.ioctl(fd, Ioctl.VFIO_IOMMU_MAP_DMA.number(), map.memory());
  }

  private int unmap(int flags, long iova, long size) {
    prepareUnmap(flags, iova, size);
    return kernel.ioctl(fd, Ioctl.VFIO_IOMMU_UNMAP_DMA.number(), unmap.memory());
  }

  private void prepareUnmap(int flags, long iova, long size) {
    unmap.setInt(vfio_iommu_type1_dma_unmap.flags$OFFSET, flags);
    unmap.setLong(vfio_iommu_type1_dma_unmap.iova$OFFSET, iova);
    unmap.setLong(vfio_iommu_type1_dma_unmap.size$OFFSET, size);
  }
}
