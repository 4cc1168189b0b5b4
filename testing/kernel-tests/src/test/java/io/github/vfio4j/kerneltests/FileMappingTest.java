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
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Memory that has a descriptor is mapped by it. */
@OnMachine(value = "intel", since = "6.13")
class FileMappingTest extends EduTests {
  private static final int NOT_OPEN = 9999;

  @Test
  void deviceReadsAndWritesTheFile() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        MemoryFile file = MemoryFile.create("test", 3 * PAGE)) {
      Ioas ioas = iommufd.allocateIoas();
      MemorySegment second = file.segment().asSlice(PAGE, PAGE);
      MemorySegment third = file.segment().asSlice(2 * PAGE, PAGE);
      EduDma.fill(second, 1);
      ioas.mapFile(file, PAGE, IOVA, PAGE, READ);
      DmaMapping target = ioas.mapFile(file, 2 * PAGE, PAGE, READ_WRITE);
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      assertThat(LockedMemory.bytes()).isEqualTo(2 * PAGE);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, target.iova());
        assertThat(third.mismatch(second)).isEqualTo(-1);

        third.fill((byte) 0);
        target.close();
        EduDma.fromDevice(edu, target.iova());
        ioas.unmap(IOVA, PAGE);
      }
      assertThat(file.segment().asSlice(0, PAGE).mismatch(third)).isEqualTo(-1);
      assertThat(LockedMemory.bytes()).isZero();
    }
  }

  @Test
  void deviceHasTheMemoryAfterTheFileIsClosed() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      MemorySegment received = EduDma.pages(arena, 1);
      ioas.map(received, IOVA + PAGE, READ_WRITE);
      MemoryFile file = MemoryFile.create("test", PAGE);
      EduDma.fill(file.segment(), 2);
      ioas.mapFile(file, 0, IOVA, PAGE, READ);
      file.close();
      file.close();
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
      }

      assertThat(received.mismatch(EduDma.page(arena, 2))).isEqualTo(-1);
      assertThatIllegalStateException().isThrownBy(() -> file.segment().fill((byte) 0));
      assertThatIllegalStateException().isThrownBy(file::fd);
      assertThatIllegalStateException().isThrownBy(() -> ioas.mapFile(file, 0, PAGE, READ));
    }
  }

  @Test
  void fileIsMappedByItsNumber() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        MemoryFile file = MemoryFile.create("test", 2 * PAGE)) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      EduDma.fill(file.segment().asSlice(0, PAGE), 3);
      ioas.mapFile(file.fd(), 0, IOVA, 2 * PAGE, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
      }

      assertThat(MemorySegment.mismatch(file.segment(), 0, PAGE, file.segment(), PAGE, 2 * PAGE))
          .isEqualTo(-1);
    }
  }

  @Test
  void whatIsNoSuchFileIsRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        PassedFile nothing = PassedFile.open(Path.of("/dev/null"));
        MemoryFile file = MemoryFile.create("test", PAGE)) {
      Ioas ioas = iommufd.allocateIoas();
      edu(iommufd).attach(ioas);

      assertRefused(Errno.EBADF, () -> ioas.mapFile(NOT_OPEN, 0, IOVA, PAGE, READ));
      assertRefused(Errno.EBADF, () -> ioas.mapFile(-1, 0, IOVA, PAGE, READ));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(nothing.number(), 0, IOVA, PAGE, READ));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(file, PAGE, IOVA, PAGE, READ));
      assertThat(LockedMemory.bytes()).isZero();
      ioas.mapFile(file, 0, IOVA, PAGE, READ);
    }
  }

  private static void assertRefused(
      Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable mapping) {
    assertThatThrownBy(mapping)
        .isInstanceOfSatisfying(
            VfioException.class,
            e -> {
              assertThat(e.operation()).isEqualTo("IOMMU_IOAS_MAP_FILE");
              assertThat(e.errno()).contains(errno);
            });
  }

  @Test
  void partsOfPagesAndTakenRangesAreRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        MemoryFile file = MemoryFile.create("test", 2 * PAGE)) {
      Ioas ioas = iommufd.allocateIoas();

      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 1, IOVA, PAGE, READ))
          .withMessageContaining("not a multiple of 4096");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, -PAGE, IOVA, PAGE, READ));
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.mapFile(file, 0, 0, READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 0, IOVA, PAGE + 1, READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 0, IOVA + 1, PAGE, READ));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 0, -PAGE, 2 * PAGE, READ));
      ioas.mapFile(file, 0, IOVA, PAGE, READ);
      assertThatThrownBy(() -> ioas.mapFile(file, PAGE, IOVA, PAGE, READ))
          .isInstanceOf(IovaInUseException.class);
    }
  }
}
