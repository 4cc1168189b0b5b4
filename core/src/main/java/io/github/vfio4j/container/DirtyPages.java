package io.github.vfio4j.container;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_bitmap;
import io.github.vfio4j.bindings.vfio_h;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap;
import io.github.vfio4j.bindings.vfio_iommu_type1_dirty_bitmap_get;
import io.github.vfio4j.bindings.vfio_iommu_type1_dma_unmap;
import io.github.vfio4j.channel.AddressSpaceChannel;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * The dirty pages of one container. The kernel writes whole words over what it is given, and begins
 * with what it knows, so it is given a bitmap of our own. Used under the lock of the address space.
 */
final class DirtyPages {
  /** Bytes of the largest bitmap that the kernel takes. */
  static final long LARGEST = 1L << 28;

  private final ContainerChannel channel;
  private final String container;

  /** Of the range that was read last: who reads bits reads them again and again. */
  private @Nullable DirtyBitmap scratch;

  private final MemorySegment getRequest =
      request(
          vfio_iommu_type1_dirty_bitmap.SIZEOF + vfio_iommu_type1_dirty_bitmap_get.SIZEOF,
          vfio_h.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);

  private final MemorySegment unmapRequest =
      request(
          vfio_iommu_type1_dma_unmap.SIZEOF + vfio_bitmap.SIZEOF,
          vfio_h.VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP);

  DirtyPages(ContainerChannel channel, String container) {
    this.channel = channel;
    this.container = container;
  }

  private static MemorySegment request(long size, int flags) {
    MemorySegment request = Arena.ofAuto().allocate(size, Long.BYTES);
    vfio_iommu_type1_dirty_bitmap.argsz(request, (int) size);
    vfio_iommu_type1_dirty_bitmap.flags(request, flags);
    return request;
  }

  void track(boolean on) throws VfioException {
    MemorySegment request =
        request(
            vfio_iommu_type1_dirty_bitmap.SIZEOF,
            on
                ? vfio_h.VFIO_IOMMU_DIRTY_PAGES_FLAG_START
                : vfio_h.VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP);
    int answer = channel.ioctl(Ioctl.VFIO_IOMMU_DIRTY_PAGES, request);
    if (answer < 0) {
      throw refused(answer, "");
    }
  }

  void readAndClear(DirtyBitmap bitmap) throws VfioException {
    DirtyBitmap read = scratch(bitmap);
    MemorySegment range = getRequest.asSlice(vfio_iommu_type1_dirty_bitmap.SIZEOF);
    vfio_iommu_type1_dirty_bitmap_get.iova(range, bitmap.iova());
    vfio_iommu_type1_dirty_bitmap_get.size(range, bitmap.length());
    describe(vfio_iommu_type1_dirty_bitmap_get.bitmap(range), read);
    int answer = channel.ioctl(Ioctl.VFIO_IOMMU_DIRTY_PAGES, getRequest);
    bitmap.add(read); // some of which may be there even if reading the rest has failed
    if (answer < 0) {
      throw refused(
          answer,
          Answer.is(answer, Errno.EINVAL)
              ? "it does not collect dirty pages, or %s cuts a mapping".formatted(bitmap)
              : "");
    }
  }

  /** Unmaps, and answers as {@link AddressSpaceChannel#unmap}. */
  long unmap(long iova, long size, DirtyBitmap bitmap) {
    DirtyBitmap read = scratch(bitmap);
    vfio_iommu_type1_dma_unmap.iova(unmapRequest, iova);
    vfio_iommu_type1_dma_unmap.size(unmapRequest, size);
    describe(unmapRequest.asSlice(vfio_iommu_type1_dma_unmap.SIZEOF), read);
    int answer = channel.ioctl(Ioctl.VFIO_IOMMU_UNMAP_DMA, unmapRequest);
    bitmap.add(read);
    return answer < 0
        ? answer
        : AddressSpaceChannel.answerOf(vfio_iommu_type1_dma_unmap.size(unmapRequest));
  }

  private DirtyBitmap scratch(DirtyBitmap bitmap) {
    DirtyBitmap last = scratch;
    if (last != null
        && last.iova() == bitmap.iova()
        && last.length() == bitmap.length()
        && last.pageSize() == bitmap.pageSize()) {
      last.clear();
      return last;
    }
    DirtyBitmap fresh = new DirtyBitmap(bitmap.iova(), bitmap.length(), bitmap.pageSize());
    scratch = fresh;
    return fresh;
  }

  private static void describe(MemorySegment structure, DirtyBitmap bitmap) {
    vfio_bitmap.pgsize(structure, bitmap.pageSize());
    vfio_bitmap.size(structure, bitmap.bits().byteSize());
    vfio_bitmap.data(structure, bitmap.bits().address());
  }

  private VfioException refused(int answer, String meaning) {
    if (Answer.is(answer, Errno.EACCES)) {
      return new UnsupportedByKernelException(
          Ioctl.VFIO_IOMMU_DIRTY_PAGES.name(),
          container,
          Errno.EACCES,
          "a container of type TYPE1 has no dirty tracking; use TYPE1V2");
    }
    return Answer.failure(Ioctl.VFIO_IOMMU_DIRTY_PAGES, container, answer, meaning);
  }
}
