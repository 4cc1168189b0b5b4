package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The kernel's options of an iommufd and of an address space. */
@OnMachine(value = "intel", since = "6.6")
class VtdOptionTest extends EduTests {
  private static final int NOBODY = 65534;

  @Test
  void hugePagesAreSplitWhereTheyAreNotWanted() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      assertThat(ioas.hugePages()).isTrue();
      ioas.setHugePages(false);
      assertThat(ioas.hugePages()).isFalse();
      CdevDevice device = edu(iommufd);
      device.attach(ioas);
      MemorySegment memory = EduDma.pages(arena, 4);
      EduDma.fill(memory, 1);
      MemorySegment last = memory.asSlice(3 * PAGE, PAGE);
      ioas.map(memory, IOVA, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + 3 * PAGE);
      }
      assertThat(last.mismatch(memory.asSlice(0, PAGE))).isEqualTo(-1);

      ioas.setHugePages(true);
      assertThat(ioas.hugePages()).isTrue();
      assertThatThrownBy(() -> ioas.setHugePages(false))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.operation()).isEqualTo("IOMMU_OPTION");
                assertThat(e.object()).isEqualTo(ioas.toString());
                assertThat(e.errno()).contains(Errno.EINVAL);
              });
      assertThat(ioas.hugePages()).isTrue();
      device.detach();
      ioas.close();
      assertThatIllegalStateException().isThrownBy(ioas::hugePages);
      assertThatIllegalStateException().isThrownBy(() -> ioas.setHugePages(true));
    }
  }

  /**
   * Memory that is pinned counts in VmPin in any case, and in VmLck, which is compared to the
   * limit, where it counts as the process's.
   */
  @Test
  @OnMachine("intel/legacy") // a JVM is slow to start
  void pinnedMemoryCountsAsTheModeSays() throws IOException {
    try (Child child =
        Child.start(List.of("setpriv", "--bounding-set=-ipc_lock"), RlimitProcess.class)) {
      assertThat(child.lines()).containsExactly("USER 16384", "PROCESS 32768");
    }
  }

  @Test
  void modeCannotBeChosenWhenThereAreObjects() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();

      assertThatThrownBy(() -> iommufd.setRlimitMode(RlimitMode.PROCESS))
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("IOMMU_OPTION on /dev/iommu: EBUSY")
          .hasMessageContaining("it has objects already");
      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.USER);

      ioas.close();
      iommufd.setRlimitMode(RlimitMode.PROCESS);
      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.PROCESS);
    }
  }

  @Test
  @OnMachine("intel/legacy") // a JVM is slow to start
  void modeIsNotForUsersWithoutPrivileges() throws IOException {
    Path node = Path.of("/dev/iommu");
    Files.setAttribute(node, "unix:uid", NOBODY);
    try (Child child = Child.start(Child.AS_NOBODY, RlimitProcess.class)) {
      assertThat(child.lines())
          .containsExactly(
              "USER: NotPermittedException: IOMMU_OPTION on /dev/iommu: EPERM",
              "PROCESS: NotPermittedException: IOMMU_OPTION on /dev/iommu: EPERM");
    } finally {
      Files.setAttribute(node, "unix:uid", 0);
    }
  }
}
