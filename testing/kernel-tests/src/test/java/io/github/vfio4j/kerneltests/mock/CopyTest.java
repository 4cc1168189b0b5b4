package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockAccess;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One address space maps what another has mapped. */
@OnMachine(value = "bare", since = "7.0")
class CopyTest {
  private static final long AT = Mock.APERTURE_FIRST;

  @ParameterizedTest
  @EnumSource
  void copyIsTheSameMemoryAndOutlivesItsSource(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, 1);
      ioas.map(memory, AT, READ_WRITE);
      ioas.copy(ioas, AT, AT + PAGE, PAGE, READ_WRITE);
      Ioas other = space.iommufd().allocateIoas();
      MockDevice device = MockDevice.attach(space.mock(), other);
      DmaMapping copy = other.copy(ioas, AT, PAGE, READ_WRITE);
      assertThat(space.mock().pinned(memory, 1)).isTrue();

      ioas.unmap(AT, PAGE);

      assertThat(space.seen(AT + PAGE, memory)).isTrue();
      assertThat(device.sees(copy.iova(), memory)).isTrue();
      ioas.unmap(AT + PAGE, PAGE);
      assertThat(device.sees(copy.iova(), memory)).isTrue();
      copy.close();
      assertThat(device.sees(copy.iova(), memory)).isFalse();
      assertThat(space.mock().pinned(memory, 0)).isTrue();
    }
  }

  @Test
  void copyAllowsNoMoreThanItsSource() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1)) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, 1).asReadOnly();
      ioas.map(memory, AT, READ);

      assertRefused(
          NotPermittedException.class,
          Errno.EPERM,
          () -> ioas.copy(ioas, AT, AT + PAGE, PAGE, READ_WRITE));

      ioas.copy(ioas, AT, AT + PAGE, PAGE, READ);
      assertThat(space.seen(AT + PAGE, memory)).isTrue();
    }
  }

  @Test
  void sourceIsAnOpenAddressSpaceOfTheSameIommufd() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1);
        MockSpace foreign = MockSpace.open(0)) {
      foreign.ioas().map(Memory.pages(arena, 1), AT, READ_WRITE);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> space.ioas().copy(foreign.ioas(), AT, AT, PAGE, READ_WRITE))
          .withMessageContaining("another iommufd");
      Ioas gone = space.iommufd().allocateIoas();
      gone.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> space.ioas().copy(gone, AT, AT, PAGE, READ_WRITE));
    }
  }

  @ParameterizedTest
  @EnumSource
  void onlyWholeMappingsAreCopied(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas source = space.ioas();
      MemorySegment memory = Memory.pages(arena, 8);
      source.map(memory, AT, READ_WRITE);
      Ioas target = space.iommufd().allocateIoas();
      for (long from = AT - PAGE; from <= AT + 8 * PAGE; from += PAGE) {
        for (long size = PAGE; size <= 9 * PAGE; size += PAGE) {
          long at = from;
          long length = size;
          if (from == AT && size == 8 * PAGE) {
            target.copy(source, at, AT, length, READ_WRITE);
            target.unmap(AT, length);
          } else {
            assertThatIllegalArgumentException()
                .isThrownBy(() -> target.copy(source, at, AT, length, READ_WRITE));
          }
        }
      }
      assertThat(space.seen(AT, memory)).isTrue();
      target.close();
    }
  }

  @Test
  void whatAnAccessPinsIsCopiedToDevices() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(2)) {
      MemorySegment memory = Memory.pages(arena, 16);
      Ioas first = space.iommufd().allocateIoas();
      Ioas second = space.iommufd().allocateIoas();
      DmaMapping inFirst = first.map(memory, READ_WRITE);
      DmaMapping inSecond = second.map(memory, READ_WRITE);
      MockAccess access = MockAccess.pinning(space.mock(), first);
      int pinned = access.pin(inFirst.iova(), memory);
      space.ioas().copy(first, inFirst.iova(), AT, memory.byteSize(), READ_WRITE);
      assertThat(space.seen(AT, memory)).isTrue();

      access.replace(second);
      assertRefused(Errno.ENOENT, () -> access.unpin(pinned));
      space.ioas().unmap(AT, memory.byteSize());
      first.close();
      assertThat(space.mock().pinned(memory, 0)).isTrue();

      int again = access.pin(inSecond.iova(), memory);
      space.ioas().copy(second, inSecond.iova(), AT, memory.byteSize(), READ_WRITE);
      assertThat(space.seen(AT, memory)).isTrue();
      access.unpin(again);
      access.close();
      second.close();
      assertThat(space.seen(AT, memory)).isTrue();
    }
  }
}
