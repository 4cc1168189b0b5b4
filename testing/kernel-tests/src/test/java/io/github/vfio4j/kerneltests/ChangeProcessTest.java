package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Errno;
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
import org.junit.jupiter.api.Test;

/** A process can take over what is pinned, where all of it is memory of files. */
@OnMachine(value = "intel", since = "6.13")
class ChangeProcessTest extends EduTests {
  @Test
  void memoryOfFilesIsTakenOver() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        MemoryFile file = MemoryFile.create("test", 2 * PAGE)) {
      iommufd.changeProcess();
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      ioas.mapFile(file, 0, IOVA, 2 * PAGE, READ_WRITE);
      MemorySegment first = file.segment().asSlice(0, PAGE);
      EduDma.fill(first, 1);

      iommufd.changeProcess();

      assertThat(LockedMemory.bytes()).isEqualTo(2 * PAGE);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
      }
      assertThat(file.segment().asSlice(PAGE).mismatch(first)).isEqualTo(-1);
    }
  }

  @Test
  void otherMemoryIsNot() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.map(EduDma.pages(arena, 1), IOVA, READ_WRITE);

      assertThatThrownBy(iommufd::changeProcess)
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_IOAS_CHANGE_PROCESS");
                assertThat(e.errno()).contains(Errno.EINVAL);
                assertThat(e).hasMessageContaining("not a file's");
              });

      ioas.unmap(IOVA, PAGE);
      iommufd.changeProcess();
    }
  }

  @Test
  void closedIommufdRefuses() throws IOException {
    Iommufd iommufd = Iommufd.open();
    iommufd.close();

    assertThatIllegalStateException().isThrownBy(iommufd::changeProcess);
  }
}
