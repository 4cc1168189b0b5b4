package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Ranges that were promised stay mappable, and automatic IOVAs stay in them. */
@OnMachine(value = "intel", since = "6.6")
class AllowedIovasTest extends EduTests {
  private static final IovaRange FIRST = range(0x200000, 2);
  private static final IovaRange SECOND = range(0x100000, 1);
  private static final IovaRange INTERRUPT_WINDOW = new IovaRange(0xfee00000L, 0xfeefffffL);

  private static IovaRange range(long first, int pages) {
    return new IovaRange(first, first + (long) pages * PAGE - 1);
  }

  @Test
  void addressSpaceChoosesInTheAllowedRanges() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      MemorySegment memory = EduDma.page(arena, 1);
      ioas.allowIovas(List.of(FIRST, SECOND));

      DmaMapping one = ioas.map(memory, READ_WRITE);
      DmaMapping two = ioas.map(memory, READ_WRITE);
      DmaMapping three = ioas.map(memory, READ_WRITE);

      assertThat(List.of(one.iova(), two.iova(), three.iova()))
          .containsExactlyInAnyOrder(FIRST.first(), FIRST.first() + PAGE, SECOND.first());
      assertThatThrownBy(() -> ioas.map(memory, READ)).isInstanceOf(IovaExhaustedException.class);
      assertThatThrownBy(() -> ioas.allocate(1)).isInstanceOf(IovaExhaustedException.class);
      ioas.map(memory, IOVA, READ); // by name, any other is as good
      one.close();
      assertThat(ioas.map(memory, READ).iova()).isEqualTo(one.iova());
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, one.iova());
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, two.iova());
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);

      ioas.allowIovas(List.of());
      assertThat(ioas.map(memory, READ).iova()).isNotIn(one.iova(), two.iova(), three.iova());
    }
  }

  @Test
  void deviceThatWouldTakeAPartAwayIsNotAttached() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      Ioas former = iommufd.allocateIoas();
      ioas.allowIovas(List.of(range(INTERRUPT_WINDOW.first() - PAGE, 2)));
      CdevDevice device = edu(iommufd);

      assertThatThrownBy(() -> device.attach(ioas))
          .isInstanceOfSatisfying(
              IovaInUseException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("VFIO_DEVICE_ATTACH_IOMMUFD_PT");
                assertThat(e.errno()).contains(Errno.EADDRINUSE);
                assertThat(e).hasMessageContaining("reserved");
              });
      assertThat(device.attached()).isEmpty();
      assertThat(ioas.iovaRanges()).anyMatch(range -> range.contains(INTERRUPT_WINDOW));
      device.attach(former);
      assertThatThrownBy(() -> device.attach(ioas)).isInstanceOf(IovaInUseException.class);
      assertThat(device.attached()).containsSame(former);
      MemorySegment memory = EduDma.page(arena, 2);
      former.map(memory, IOVA, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 2))).isEqualTo(-1);

      ioas.allowIovas(List.of(range(IOVA, 1)));
      device.attach(ioas);
      assertThat(device.attached()).containsSame(ioas);
    }
  }

  @Test
  void impossibleListChangesNothing() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      edu(iommufd).attach(ioas);
      ioas.allowIovas(List.of(SECOND));

      assertThatThrownBy(() -> ioas.allowIovas(List.of(FIRST, INTERRUPT_WINDOW)))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_IOAS_ALLOW_IOVAS");
                assertThat(e.errno()).contains(Errno.EADDRINUSE);
                assertThat(e).hasMessageContaining("is not within");
              });
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.allowIovas(List.of(FIRST, range(FIRST.last() + 1 - PAGE, 2))))
          .withMessageContaining("overlap");

      assertThat(ioas.map(EduDma.pages(arena, 1), READ).iova()).isEqualTo(SECOND.first());
      assertThatThrownBy(() -> ioas.map(EduDma.pages(arena, 1), READ))
          .isInstanceOf(IovaExhaustedException.class);
    }
  }

  @Test
  void closedAddressSpaceAllowsNothing() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.close();

      assertThatIllegalStateException().isThrownBy(() -> ioas.allowIovas(List.of(FIRST)));
    }
  }
}
