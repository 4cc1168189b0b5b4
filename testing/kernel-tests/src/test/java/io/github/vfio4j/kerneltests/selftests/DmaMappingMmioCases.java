package io.github.vfio4j.kerneltests.selftests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.PciFunction;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.dmabuf.PeerMapping;
import io.github.vfio4j.dmabuf.PeerMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * What {@code vfio_dma_mapping_mmio_test.c} tries, with this library: the device's own registers in
 * its address space. By their address only a container of the legacy interface takes them; an IOAS
 * does by a dma-buf, which the kernel's program does not try.
 */
final class DmaMappingMmioCases {
  private static final long PAGE = 4096;
  private static final int BARS = 6;
  private static final long MOST = 1L << 30;

  private DmaMappingMmioCases() {}

  /** What a case does with the largest region of a device. */
  @FunctionalInterface
  private interface Body {
    void run(VfioDevice device, Region bar) throws VfioException;
  }

  private static void with(Variant variant, Body body) throws VfioException {
    try (IommuMode.Space opened = variant.mode().space()) {
      VfioDevice device = opened.open(variant.device());
      Optional<Region> bar = largest(device.pci());
      assumeTrue(bar.isPresent());
      body.run(device, bar.get());
    }
  }

  private static Optional<Region> largest(PciFunction function) throws VfioException {
    List<Region> bars = new ArrayList<>();
    for (int i = 0; i < BARS; i++) {
      Region bar = function.bar(i);
      if (bar.info().mappable() && bar.info().readable() && bar.info().writable()) {
        bars.add(bar);
      }
    }
    return bars.stream().max(Comparator.comparingLong(Region::size));
  }

  static void wholeBarIsMapped(Variant variant) throws VfioException {
    with(variant, (device, bar) -> isMapped(variant.mode(), device, bar, 0, bar.size()));
  }

  static void partOfABarIsMapped(Variant variant) throws VfioException {
    with(
        variant,
        (device, bar) -> {
          assumeTrue(bar.size() >= 2 * PAGE);
          isMapped(variant.mode(), device, bar, 0, PAGE);
        });
  }

  /**
   * The library aligns what it maps into this process as huge pages need it; where the memory
   * begins a page into the BAR, the two do not go together.
   */
  static void barThatIsBadlyAlignedIsMapped(Variant variant) throws VfioException {
    with(
        variant,
        (device, bar) ->
            isMapped(variant.mode(), device, bar, PAGE, Math.min(bar.size() - PAGE, MOST)));
  }

  private static void isMapped(
      IommuMode mode, VfioDevice device, Region bar, long offset, long size) throws VfioException {
    IoAddressSpace space = device.addressSpace();
    PeerMemory memory = PeerMemory.of(device, bar.info().index()).slice(offset, size);
    if (!mode.isLegacy()) {
      try (MappedRegion window = bar.map(offset, size)) {
        isRefused(() -> space.map(placeOf(window), READ_WRITE));
      }
    }
    switch (mode) {
      case VFIO_TYPE1_IOMMU, VFIO_TYPE1V2_IOMMU, IOMMUFD -> mapAndUnmap(memory, space);
      case IOMMUFD_COMPAT_TYPE1, IOMMUFD_COMPAT_TYPE1V2 ->
          isRefused(() -> memory.map(space, READ_WRITE));
    }
  }

  private static void mapAndUnmap(PeerMemory memory, IoAddressSpace space) throws VfioException {
    PeerMapping mapping = memory.map(space, READ_WRITE);
    assertThat(mapping.isMapped()).isTrue();
    assertThat(mapping.size()).isEqualTo(memory.size());
    mapping.close();
    assertThat(mapping.isMapped()).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> space.unmap(mapping.iova(), memory.size()));
  }

  private static void isRefused(ThrowingCallable mapping) {
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(mapping)
        .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EFAULT));
  }

  @SuppressWarnings("restricted") // nothing is read through it
  private static MemorySegment placeOf(MappedRegion window) {
    return ((MappedMemory) window).place().reinterpret(window.size());
  }
}
