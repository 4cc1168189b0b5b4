package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.ReservedRegion;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the kernel allows is what can be mapped. */
@OnMachine(OnMachine.IOMMU)
@Bound(Device.EDU)
class IovaRangesTest {
  private static final IovaRange INTERRUPT_WINDOW = Machine.interruptWindow();

  private static final long BEYOND_48_BITS = 1L << 48;

  @EachBackend
  void rangesLeaveOutWhatIsReserved(Backend backend) throws IOException {
    int group = Sysfs.host().device(Machine.EDU).iommuGroup().orElseThrow();
    List<ReservedRegion> reserved = Sysfs.host().group(group).reservedRegions();
    assertThat(reserved).extracting(ReservedRegion::range).contains(INTERRUPT_WINDOW);
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      List<IovaRange> ranges = device.addressSpace().iovaRanges();

      assertThat(ranges)
          .isNotEmpty()
          .noneMatch(range -> reserved.stream().anyMatch(window -> range.overlaps(window.range())))
          .anyMatch(range -> range.contains(INTERRUPT_WINDOW.first() - 1))
          .anyMatch(range -> range.contains(INTERRUPT_WINDOW.last() + 1));
    }
  }

  @EachBackend
  @OnMachine({"intel", "smmuv3", "virtio"})
  void rangesEndWhereTheIommuDoes(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      MemorySegment memory = EduDma.pages(arena, 1);
      long last = space.iovaRanges().getLast().last();

      assertThat(last).isBetween((1L << 47) - 1, BEYOND_48_BITS - 1);
      space.map(memory, last + 1 - PAGE, READ_WRITE);
      assertOutOfRange(space, memory, last + 1);
      assertOutOfRange(space, memory, -PAGE);
    }
  }

  /** AMD's page tables grow to as many levels as an address of 64 bits wants. */
  @EachBackend
  @OnMachine("amd")
  void rangesReachTheEndOfAllAddresses(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();

      assertThat(space.iovaRanges().getLast().last()).isEqualTo(-1);
      space.map(EduDma.pages(arena, 1), -PAGE, READ_WRITE);
      space.unmap(-PAGE, PAGE);
    }
  }

  @EachBackend
  void nothingIsMappedOverTheInterruptWindow(Backend backend) throws IOException {
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      IoAddressSpace space = device.addressSpace();
      long before = LockedMemory.bytes();
      MemorySegment one = EduDma.pages(arena, 1);
      MemorySegment two = EduDma.pages(arena, 2);

      assertOutOfRange(space, one, INTERRUPT_WINDOW.first());
      assertOutOfRange(space, one, INTERRUPT_WINDOW.last() + 1 - PAGE);
      assertOutOfRange(space, two, INTERRUPT_WINDOW.first() - PAGE);
      assertOutOfRange(space, two, INTERRUPT_WINDOW.last() + 1 - PAGE);
      assertThat(LockedMemory.bytes()).isEqualTo(before);
      space.map(one, INTERRUPT_WINDOW.first() - PAGE, READ_WRITE);
      space.map(two, INTERRUPT_WINDOW.last() + 1, READ_WRITE);
    }
  }

  private static void assertOutOfRange(IoAddressSpace space, MemorySegment memory, long iova) {
    assertThatThrownBy(() -> space.map(memory, iova, READ_WRITE))
        .isInstanceOfSatisfying(
            IovaOutOfRangeException.class,
            e -> {
              assertThat(e.operation())
                  .endsWith("MAP" + (e.operation().contains("DMA") ? "_DMA" : ""));
              assertThat(e).hasMessageContaining("0x" + Long.toHexString(iova));
            });
  }

  @Test
  @OnMachine(since = "6.6")
  void freshIoasMayMapAnythingUntilADeviceIsAttached() throws VfioException {
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      assertThat(ioas.iovaRanges()).anyMatch(range -> range.contains(INTERRUPT_WINDOW));
      assertThat(ioas.granule()).isEqualTo(PAGE);

      VfioDevice.open(Machine.EDU, ioas);

      assertThat(ioas.iovaRanges()).noneMatch(range -> range.overlaps(INTERRUPT_WINDOW));
    }
  }
}
