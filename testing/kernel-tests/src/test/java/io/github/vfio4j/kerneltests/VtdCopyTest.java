package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.DmaAccess.WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** A mapping can be had in a second address space without pinning its memory again. */
@OnMachine(value = "intel", since = "6.6")
class VtdCopyTest extends EduTests {
  private static final long ELSEWHERE = 0x80000;

  @Test
  void copyReachesTheMemoryAfterItsSourceIsGone() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas source = iommufd.allocateIoas();
      Ioas target = iommufd.allocateIoas();
      MemorySegment sent = EduDma.page(arena, 1);
      MemorySegment received = EduDma.page(arena, 2);
      source.map(sent, IOVA, READ);
      source.map(received, IOVA + PAGE, READ_WRITE);
      target.copy(source, IOVA, ELSEWHERE, PAGE, READ);
      DmaMapping copy = target.copy(source, IOVA + PAGE, PAGE, READ_WRITE);
      assertThat(copy.size()).isEqualTo(PAGE);
      CdevDevice device = edu(iommufd);
      device.attach(target);
      source.unmap(IOVA, PAGE);
      source.close();
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, ELSEWHERE, copy.iova());
        assertThat(received.mismatch(sent)).isEqualTo(-1);

        received.fill((byte) 0);
        copy.close();
        EduDma.fromDevice(edu, copy.iova());
        assertThat(received.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);
      }
    }
  }

  @Test
  void memoryIsPinnedOnceForAllCopies() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas source = iommufd.allocateIoas();
      Ioas target = iommufd.allocateIoas();
      edu(iommufd).attach(source);
      device(Machine.EDU_2, iommufd).attach(target);
      source.map(EduDma.pages(arena, 4), IOVA, READ_WRITE);

      target.copy(source, IOVA, IOVA, 4 * PAGE, READ_WRITE);
      target.copy(target, IOVA, ELSEWHERE, 4 * PAGE, READ);

      assertThat(LockedMemory.bytes()).isEqualTo(4 * PAGE);
      source.unmap(IOVA, 4 * PAGE);
      target.unmap(IOVA, 4 * PAGE);
      assertThat(LockedMemory.bytes()).isEqualTo(4 * PAGE);
      target.unmap(ELSEWHERE, 4 * PAGE);
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  @Test
  void whatIsMappedForReadingIsNotCopiedForWriting() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas source = iommufd.allocateIoas();
      Ioas target = iommufd.allocateIoas();
      source.map(EduDma.pages(arena, 1), IOVA, READ);

      assertThatThrownBy(() -> target.copy(source, IOVA, ELSEWHERE, PAGE, WRITE))
          .isInstanceOfSatisfying(
              NotPermittedException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_IOAS_COPY");
                assertThat(e.errno()).contains(Errno.EPERM);
              });
      assertThatThrownBy(() -> target.copy(source, IOVA, PAGE, READ_WRITE))
          .isInstanceOf(NotPermittedException.class);
      target.map(EduDma.pages(arena, 1), ELSEWHERE, READ); // nothing is left there
    }
  }

  @Test
  void whatCannotBeCopiedIsRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open();
        Iommufd other = Iommufd.open()) {
      Ioas source = iommufd.allocateIoas();
      Ioas target = iommufd.allocateIoas();
      Ioas gone = iommufd.allocateIoas();
      Ioas stranger = other.allocateIoas();
      gone.close();
      edu(iommufd).attach(target);
      source.map(EduDma.pages(arena, 2), IOVA, READ);
      target.map(EduDma.pages(arena, 1), ELSEWHERE + PAGE, READ);

      assertThatIllegalArgumentException()
          .isThrownBy(() -> target.copy(source, IOVA, IOVA, PAGE, READ))
          .withMessageContaining("has 0x2000 bytes");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> target.copy(source, IOVA + PAGE, IOVA, PAGE, READ))
          .withMessageContaining("no mapping starts there");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> target.copy(source, IOVA, IOVA, 0, READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> target.copy(source, IOVA, IOVA + 1, 2 * PAGE, READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stranger.copy(source, IOVA, IOVA, 2 * PAGE, READ))
          .withMessageContaining("another iommufd");
      assertThatIllegalStateException()
          .isThrownBy(() -> target.copy(gone, IOVA, IOVA, 2 * PAGE, READ));
      assertThatIllegalStateException()
          .isThrownBy(() -> gone.copy(source, IOVA, IOVA, 2 * PAGE, READ));
      assertThatThrownBy(() -> target.copy(source, IOVA, ELSEWHERE, 2 * PAGE, READ))
          .isInstanceOf(IovaInUseException.class);
      assertThatThrownBy(() -> target.copy(source, IOVA, 0xfee00000L, 2 * PAGE, READ))
          .isInstanceOf(IovaOutOfRangeException.class);
      target.copy(source, IOVA, IOVA, 2 * PAGE, READ);
    }
  }
}
