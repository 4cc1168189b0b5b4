package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.kerneltests.Child;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockAccess;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two processes have one iommufd: one maps, the other goes on. */
@OnMachine(value = "bare", since = "7.0")
class ProcessTest {
  /** Who may lock any amount of memory has it not counted, so there is nothing to take over. */
  private static final List<String> COUNTED =
      List.of("setpriv", "--inh-caps=-ipc_lock", "--bounding-set=-ipc_lock");

  @Test
  void onlyMemoryOfFilesCanBeTakenOver() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1)) {
      DmaMapping anonymous = space.ioas().map(Memory.pages(arena, 1), READ_WRITE);
      VfioException refusal =
          assertRefused(VfioException.class, Errno.EINVAL, space.iommufd()::changeProcess);
      assertThat(refusal).hasMessageContaining("not a file's");
      anonymous.close();

      space.iommufd().changeProcess();
    }
  }

  @Test
  void anotherProcessTakesOverWhatIsPinned() throws IOException {
    try (Child first = Child.start(COUNTED, PinningProcess.class)) {
      String descriptors = first.line();
      assertThat(first.line()).isEqualTo("pinned 8 locked 4");
      try (Child second =
          SharedIommufd.start(COUNTED, SharedIommufd.CHANGE, first.pid(), descriptors)) {
        assertThat(second.line()).isEqualTo("pinned 0 locked 0");
        assertThat(second.line()).isEqualTo("pinned 4 locked 0");
        assertThat(second.line()).isEqualTo("pinned 8 locked 4");
        first.goOn();
        assertThat(first.line()).isEqualTo("pinned 0 locked 0");
        assertThat(first.line()).isEqualTo("pinned 8 locked 4");
      }
      first.goOn();
      assertThat(first.lines()).containsExactly("pinned 0 locked 0");
    }
  }

  @Test
  void memoryOfAnotherProcessIsMappedAndIsKeptByDevices() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace late = MockSpace.open(0);
        MockSpace tooLate = MockSpace.open(0);
        MockSpace one = MockSpace.open(1);
        MockSpace two = MockSpace.open(2)) {
      for (MockSpace space : List.of(late, tooLate, one, two)) {
        space.iommufd().setCompatibilityIoas(space.ioas());
      }
      try (Child child =
          SharedIommufd.start(
              List.of(),
              SharedIommufd.MAP,
              ProcessHandle.current().pid(),
              "%d %d %d %d"
                  .formatted(
                      late.mock().descriptor(),
                      tooLate.mock().descriptor(),
                      one.mock().descriptor(),
                      two.mock().descriptor()))) {
        for (MockSpace space : List.of(late, tooLate, one, two)) {
          assertThat(child.line()).isEqualTo("mapped");
          assertMapped(space, arena);
        }
        MockDevice.attach(late.mock(), late.ioas());
        assertMapped(late, arena);
      }

      assertRefused(Errno.EFAULT, () -> MockDevice.attach(tooLate.mock(), tooLate.ioas()));
      for (MockSpace space : List.of(late, one, two)) {
        MockDevice.attach(space.mock(), space.ioas());
        assertMapped(space, arena);
      }
    }
  }

  private static void assertMapped(MockSpace space, Arena arena) throws VfioException {
    MemorySegment expected = Memory.pages(arena, SharedIommufd.PAGES, SharedIommufd.SEED);
    MemorySegment copy = Memory.pages(arena, SharedIommufd.PAGES);
    try (MockAccess access = MockAccess.copying(space.mock(), space.ioas())) {
      access.read(Mock.APERTURE_FIRST, copy);
      assertThat(copy.mismatch(expected)).isEqualTo(-1);
      MemorySegment few = copy.asSlice(PAGE - 50, 100);
      Memory.fill(few, 1);
      access.write(Mock.APERTURE_FIRST + PAGE - 50, few);
      access.read(Mock.APERTURE_FIRST, copy);
      assertThat(copy.asSlice(0, PAGE - 50).mismatch(expected.asSlice(0, PAGE - 50))).isEqualTo(-1);
      access.write(Mock.APERTURE_FIRST, expected);
    }
  }
}
