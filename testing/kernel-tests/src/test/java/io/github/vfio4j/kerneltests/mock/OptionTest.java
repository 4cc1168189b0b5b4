package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.RlimitMode;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The options of an iommufd and of its address spaces. */
@OnMachine(value = "bare", since = "7.0")
class OptionTest {
  @Test
  void limitIsChosenBeforeThereAreObjects() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.USER);
      iommufd.setRlimitMode(RlimitMode.PROCESS);
      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.PROCESS);
      Ioas ioas = iommufd.allocateIoas();

      assertRefused(
          DeviceBusyException.class, Errno.EBUSY, () -> iommufd.setRlimitMode(RlimitMode.USER));

      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.PROCESS);
      ioas.close();
      iommufd.setRlimitMode(RlimitMode.USER);
      assertThat(iommufd.rlimitMode()).isEqualTo(RlimitMode.USER);
    }
  }

  @Test
  void closedAddressSpaceHasNoOptions() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.close();

      assertThatIllegalStateException().isThrownBy(ioas::hugePages);
      assertThatIllegalStateException().isThrownBy(() -> ioas.setHugePages(true));
    }
  }

  @ParameterizedTest
  @EnumSource
  void contiguousPagesAreCombinedUnlessToldOtherwise(Setup setup) throws IOException {
    try (MockSpace space = setup.open()) {
      assertThat(space.ioas().hugePages()).isTrue();
      space.ioas().setHugePages(false);
      assertThat(space.ioas().hugePages()).isFalse();
      space.ioas().setHugePages(true);
      assertThat(space.ioas().hugePages()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void wholePagesSuitEveryAlignment(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, 2);
      ioas.map(memory.asSlice(0, PAGE), Mock.APERTURE_FIRST, READ_WRITE);
      if (space.devices().isEmpty()) {
        ioas.setHugePages(false);
        ioas.setHugePages(true);
      } else {
        assertRefused(Errno.EINVAL, () -> ioas.setHugePages(false)); // page tables hold it already
        assertThat(ioas.hugePages()).isTrue();
      }

      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  ioas.map(
                      memory.asSlice(Mock.PAGE, PAGE), Mock.APERTURE_FIRST + PAGE, READ_WRITE));
      assertThatIllegalArgumentException()
          .isThrownBy(
              () ->
                  ioas.map(
                      memory.asSlice(PAGE, PAGE),
                      Mock.APERTURE_FIRST + PAGE + Mock.PAGE,
                      READ_WRITE));
      ioas.map(memory.asSlice(PAGE, PAGE), Mock.APERTURE_FIRST + PAGE, READ_WRITE);
      assertThat(space.seen(Mock.APERTURE_FIRST, memory)).isTrue();
    }
  }
}
