package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices move between address spaces and page tables made by hand. */
@OnMachine(value = "bare", since = "7.0")
class HwptTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void pageTableOfTheKernelEndsWithItsLastDevice(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices)) {
      MockDevice device = space.device();
      int first = device.table();
      Ioas other = space.iommufd().allocateIoas();
      MemorySegment here = Memory.pages(arena, 1);
      MemorySegment there = Memory.pages(arena, 1);
      space.ioas().map(here, space.base(), READ_WRITE);
      other.map(there, space.base(), READ_WRITE);
      assertThat(device.sees(space.base(), here)).isTrue();

      device.replace(other);

      assertThat(device.sees(space.base(), there)).isTrue();
      assertThat(device.sees(space.base(), here)).isFalse();
      if (devices == 1) {
        assertRefused(Errno.ENOENT, () -> device.replace(first));
      } else {
        device.replace(first);
        assertThat(device.sees(space.base(), here)).isTrue();
        device.replace(first);
      }
      device.replace(other);
      device.replace(space.ioas());
      assertThat(space.seen(space.base(), here)).isTrue();
      other.close();
      assertThat(space.mock().pinned(there, 0)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void pageTablesMadeByHandTakeTurns(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices)) {
      MemorySegment memory = Memory.pages(arena, 2);
      space.ioas().map(memory, space.base(), READ_WRITE);
      for (MockDevice device : space.devices()) {
        HwptPaging plain = space.ioas().allocateHwpt(device);
        HwptPaging parent = space.ioas().allocateHwpt(device, HwptFlag.NEST_PARENT);
        assertThat(parent.flags()).containsExactly(HwptFlag.NEST_PARENT);
        assertThat(space.mock().maps(plain, space.base(), memory)).isTrue();

        device.replace(plain);
        assertRefused(DeviceBusyException.class, Errno.EBUSY, plain::close);
        assertThat(device.table()).isEqualTo(plain.id());
        assertThat(device.sees(space.base(), memory)).isTrue();
        device.replace(parent);
        assertRefused(DeviceBusyException.class, Errno.EBUSY, parent::close);
        assertThat(space.mock().maps(parent, space.base(), memory)).isTrue();
        device.replace(space.ioas());
        parent.close();

        try (MockDevice direct = MockDevice.attach(space.mock(), plain)) {
          assertThat(direct.sees(space.base(), memory)).isTrue();
        }
        plain.close();
        plain.close();
        assertThatIllegalStateException().isThrownBy(() -> plain.setDirtyTracking(true));
      }
      assertThat(space.mock().pinned(memory, 1)).isTrue();
    }
  }

  @Test
  void mappingsReachAllPageTablesOfAnAddressSpace() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(2)) {
      HwptPaging first = space.ioas().allocateHwpt(space.device());
      HwptPaging second = space.ioas().allocateHwpt(space.device(), HwptFlag.DIRTY_TRACKING);
      MemorySegment memory = Memory.pages(arena, 3);

      space.ioas().map(memory, space.base() + PAGE, READ_WRITE);

      assertThat(space.mock().maps(first, space.base() + PAGE, memory)).isTrue();
      assertThat(space.mock().maps(second, space.base() + PAGE, memory)).isTrue();
      assertThat(space.mock().pinned(memory, 1)).isTrue();
      space.ioas().unmap(space.base() + PAGE, 3 * PAGE);
      assertThat(space.mock().maps(first, space.base() + PAGE, memory)).isFalse();
    }
  }

  @Test
  void pageTableIsMadeForADeviceThatIsThere() throws IOException {
    try (MockSpace space = MockSpace.open(1);
        MockSpace foreign = MockSpace.open(1)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.ioas().allocateHwpt(foreign.device()))
          .withMessageContaining("another iommufd");
      space.device().close();
      assertRefused(Errno.ENOENT, () -> space.ioas().allocateHwpt(space.device()));
      space.ioas().close();
      assertThatIllegalStateException().isThrownBy(() -> space.ioas().allocateHwpt(space.device()));
    }
  }
}
