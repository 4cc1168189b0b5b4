package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Address spaces begin, hold mappings and end, with devices and without. */
@OnMachine(value = "bare", since = "7.0")
class IoasTest {
  @Test
  void iommufdEnds() throws IOException {
    Iommufd iommufd = Iommufd.open();

    iommufd.close();

    assertThatIllegalStateException().isThrownBy(iommufd::allocateIoas);
  }

  @ParameterizedTest
  @EnumSource
  void endsWithItsIommufd(Setup setup) throws IOException {
    MockSpace space = setup.open();

    space.close();

    assertThatIllegalStateException().isThrownBy(space.ioas()::unmapAll);
  }

  @ParameterizedTest
  @EnumSource
  void cannotBeClosedWhileADeviceUsesIt(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      if (!space.devices().isEmpty()) {
        assertRefused(DeviceBusyException.class, Errno.EBUSY, ioas::close);
        MemorySegment memory = Memory.pages(arena, 1);
        ioas.map(memory, space.base(), READ_WRITE);
        assertThat(space.seen(space.base(), memory)).isTrue();
      }
      for (MockDevice device : space.devices()) {
        device.close();
      }

      ioas.close();
      ioas.close();

      assertThatIllegalStateException().isThrownBy(ioas::unmapAll);
    }
  }

  @Test
  void deviceAttachesToThePageTableOfAnother() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1)) {
      MemorySegment memory = Memory.pages(arena, 2);
      space.ioas().map(memory, space.base(), READ_WRITE);

      MockDevice other = MockDevice.attach(space.mock(), space.device().table(), MockDevice.PLAIN);
      assertThat(other.table()).isEqualTo(space.device().table());
      space.device().close();
      assertThat(other.sees(space.base(), memory)).isTrue();
      other.close();

      assertRefused(
          Errno.ENOENT, () -> MockDevice.attach(space.mock(), other.table(), MockDevice.PLAIN));
    }
  }

  @ParameterizedTest
  @EnumSource
  void mappingNeitherHoldsItNorLetsItGo(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      MemorySegment memory = Memory.pages(arena, 1);
      space.ioas().map(memory, space.base(), READ_WRITE);
      assertThat(space.mock().pinned(memory, space.pins())).isTrue();

      if (space.devices().isEmpty()) {
        space.ioas().close();
      } else {
        assertRefused(DeviceBusyException.class, Errno.EBUSY, space.ioas()::close);
        assertThat(space.seen(space.base(), memory)).isTrue();
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void endsWithItsMappings(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Mock other = Mock.open()) {
      MemorySegment memory = Memory.pages(arena, 1);
      try (MockSpace space = setup.open()) {
        for (int i = 0; i < 10; i++) {
          space.ioas().map(memory, space.base() + i * PAGE, READ_WRITE);
        }
        assertThat(other.pinned(memory, 10 * space.pins())).isTrue();
      }
      assertThat(other.pinned(memory, 0)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void mappingsDoNotOverlapAndAreUnmappedWhole(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      long base = space.base();
      MemorySegment memory = Memory.pages(arena, 3);
      MemorySegment one = memory.asSlice(0, PAGE);
      MemorySegment two = memory.asSlice(0, 2 * PAGE);
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(base, PAGE));
      for (int i = 0; i < 10; i++) {
        ioas.map(one, base + i * PAGE, READ_WRITE);
      }
      assertThat(space.seen(base + 9 * PAGE, one)).isTrue();
      for (int i = 0; i < 10; i++) {
        ioas.unmap(base + i * PAGE, PAGE);
      }
      assertThat(space.mock().pinned(one, 0)).isTrue();

      long at = base + 16 * PAGE;
      ioas.map(two, at, READ_WRITE);
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(at, PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(at + PAGE, PAGE));
      assertInUse(() -> ioas.map(two, at, READ_WRITE));
      assertInUse(() -> ioas.map(one, at, READ_WRITE));
      assertInUse(() -> ioas.map(one, at + PAGE, READ_WRITE));
      assertInUse(() -> ioas.map(two, at - PAGE, READ_WRITE));
      assertInUse(() -> ioas.map(memory, at - PAGE, READ_WRITE));
      assertThat(space.seen(at, two)).isTrue();
      assertThat(space.mock().pinned(two, space.pins())).isTrue();

      ioas.unmapAll();
      ioas.unmapAll();
      assertThat(space.mock().pinned(two, 0)).isTrue();
      ioas.map(memory, at - PAGE, READ_WRITE);
      assertThat(space.seen(at - PAGE, memory)).isTrue();
    }
  }

  private static void assertInUse(org.assertj.core.api.ThrowableAssert.ThrowingCallable step) {
    assertThatExceptionOfType(IovaInUseException.class).isThrownBy(step);
  }

  @ParameterizedTest
  @EnumSource
  void oneUnmapTakesOneMapping(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      long base = space.base() + 4 * PAGE;
      MemorySegment memory = Memory.pages(arena, 8);
      for (int i = 0; i < 4; i++) {
        ioas.map(memory, base + 16 * PAGE * i, READ_WRITE);
      }

      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(base - 4 * PAGE, 8 * PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(base + 52 * PAGE, 8 * PAGE));
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(base - 4 * PAGE, 60 * PAGE));
      assertThat(space.mock().pinned(memory, 4 * space.pins())).isTrue();
      ioas.unmap(base + 16 * PAGE, 8 * PAGE);

      assertThat(space.mock().pinned(memory, 3 * space.pins())).isTrue();
      for (int i : new int[] {0, 2, 3}) {
        assertThat(space.seen(base + 16 * PAGE * i, memory)).isTrue();
      }
    }
  }
}
