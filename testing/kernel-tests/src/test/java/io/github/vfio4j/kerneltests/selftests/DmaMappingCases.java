package io.github.vfio4j.kerneltests.selftests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.opentest4j.TestAbortedException;

/** What {@code vfio_dma_mapping_test.c} tries, with this library. */
final class DmaMappingCases {
  private static final long PAGE = 4096;

  private DmaMappingCases() {}

  static void memoryIsMappedAndUnmapped(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        Arena arena = Arena.ofConfined()) {
      opened.open(variant.device());
      IoAddressSpace space = opened.space();
      switch (variant.rest()) {
        case "anonymous" -> {
          MemorySegment memory = arena.allocate(PAGE, PAGE);
          long iova = lastPage(space);
          space.map(memory, iova, READ_WRITE);
          unmapOnce(space, iova, PAGE);
        }
        case "anonymous_hugetlb_2mb" -> hugePage(space, 2L << 20);
        case "anonymous_hugetlb_1gb" -> hugePage(space, 1L << 30);
        default -> throw new AssertionError("no such memory: " + variant);
      }
    }
  }

  private static void hugePage(IoAddressSpace space, long size) throws VfioException {
    DmaBuffer buffer;
    try {
      buffer = space.allocateHuge(size, size);
    } catch (VfioException e) {
      if (e.operation().equals("mmap")) {
        throw new TestAbortedException("there is no such page", e);
      }
      throw e;
    }
    assertThat(buffer.iova() % size).isZero();
    unmapOnce(space, buffer.iova(), size);
    buffer.close();
  }

  private static void unmapOnce(IoAddressSpace space, long iova, long size) throws VfioException {
    space.unmap(iova, size);
    assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(iova, size));
  }

  static void lastPageIsMappedAndUnmapped(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        Arena arena = Arena.ofConfined()) {
      opened.open(variant.device());
      long iova = lastPage(opened.space());
      opened.space().map(arena.allocate(PAGE, PAGE), iova, READ_WRITE);
      unmapOnce(opened.space(), iova, PAGE);
    }
  }

  static void lastPageIsUnmappedWithAll(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        Arena arena = Arena.ofConfined()) {
      opened.open(variant.device());
      IoAddressSpace space = opened.space();
      long iova = lastPage(space);
      MemorySegment memory = arena.allocate(PAGE, PAGE);
      space.map(memory, iova, READ_WRITE);

      space.unmapAll();

      assertThatIllegalArgumentException().isThrownBy(() -> space.unmap(iova, PAGE));
      space.map(memory, iova, READ_WRITE);
    }
  }

  static void rangeThatWrapsAroundIsRefused(Variant variant) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space();
        Arena arena = Arena.ofConfined()) {
      opened.open(variant.device());
      MemorySegment memory = arena.allocate(2 * PAGE, PAGE);

      assertThatIllegalArgumentException()
          .isThrownBy(() -> opened.space().map(memory, -PAGE, READ_WRITE))
          .withMessageContaining("wraps around");
      assertThatIllegalArgumentException().isThrownBy(() -> opened.space().unmap(-PAGE, 2 * PAGE));
    }
  }

  private static long lastPage(IoAddressSpace space) {
    return space.iovaRanges().getLast().last() & -PAGE;
  }
}
