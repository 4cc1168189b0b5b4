package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaExhaustedException;
import io.github.vfio4j.IovaOutOfRangeException;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where an address space maps: within what devices leave free, and what the user allows. */
@OnMachine(value = "bare", since = "7.0")
class IovaTest {
  private static final IovaRange APERTURE = new IovaRange(Mock.APERTURE_FIRST, Mock.APERTURE_LAST);

  @ParameterizedTest
  @EnumSource
  void rangesAreWhatDevicesAndReservationsLeave(Setup setup) throws IOException {
    try (MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      boolean free = space.devices().isEmpty();
      assertThat(ioas.iovaRanges()).containsExactly(free ? new IovaRange(0, -1) : APERTURE);
      assertThat(ioas.granule()).isEqualTo(PAGE);

      space.mock().reserve(ioas, PAGE, PAGE);

      if (free) {
        assertThat(ioas.iovaRanges())
            .containsExactly(new IovaRange(0, PAGE - 1), new IovaRange(2 * PAGE, -1));
      } else {
        assertThat(ioas.iovaRanges()).containsExactly(APERTURE);
      }
    }
  }

  @Test
  void moreRangesThanExpectedAreReadToo() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(0)) {
      for (int i = 0; i < 40; i++) {
        space.mock().reserve(space.ioas(), (2L * i + 1) * PAGE, PAGE);
      }

      List<IovaRange> ranges = space.ioas().iovaRanges();

      assertThat(ranges).hasSize(41).contains(new IovaRange(40 * PAGE, 41 * PAGE - 1));
      assertThat(ranges.getLast()).isEqualTo(new IovaRange(80 * PAGE, -1));
      assertThatExceptionOfType(IovaOutOfRangeException.class)
          .isThrownBy(() -> space.ioas().map(Memory.pages(arena, 2), 40 * PAGE, READ_WRITE));
    }
  }

  @ParameterizedTest
  @EnumSource
  void chosenAddressesAvoidWhatIsReservedAndStayInWhatIsAllowed(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      mapTen(space, arena, ioas.iovaRanges());

      space.mock().reserve(ioas, space.base() + 4 * PAGE, 100 * PAGE);
      List<IovaRange> left =
          List.of(
              new IovaRange(space.base(), space.base() + 4 * PAGE - 1),
              new IovaRange(space.base() + 104 * PAGE, ioas.iovaRanges().getLast().last()));
      assertThat(ioas.iovaRanges()).isEqualTo(left);
      mapTen(space, arena, left);

      assertRefused(
          Errno.EADDRINUSE,
          () ->
              ioas.allowIovas(
                  List.of(new IovaRange(space.base() + PAGE, space.base() + 600 * PAGE - 1))));
      mapTen(space, arena, left);

      List<IovaRange> allowed =
          List.of(new IovaRange(space.base() + 200 * PAGE, space.base() + 600 * PAGE - 1));
      ioas.allowIovas(allowed);
      mapTen(space, arena, allowed);
    }
  }

  private static void mapTen(MockSpace space, Arena arena, List<IovaRange> ranges)
      throws VfioException {
    List<DmaMapping> mappings = new ArrayList<>();
    MemorySegment memory = Memory.pages(arena, 10);
    for (int i = 1; i <= 10; i++) {
      MemorySegment part = memory.asSlice(0, i * PAGE);
      DmaMapping mapping = space.ioas().map(part, READ_WRITE);
      mappings.add(mapping);
      IovaRange taken = new IovaRange(mapping.iova(), mapping.iova() + mapping.size() - 1);
      assertThat(ranges).anyMatch(range -> range.contains(taken));
      assertThat(space.seen(mapping.iova(), part)).isTrue();
    }
    for (DmaMapping mapping : mappings) {
      mapping.close();
    }
    assertThat(space.mock().pinned(memory, 0)).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void reservationOfNearlyEverythingLeavesTheEnds(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, 5);
      space.mock().reserve(ioas, 6, 0xffffffffffff8001L);

      if (space.devices().isEmpty()) {
        assertThat(ioas.iovaRanges())
            .containsExactly(new IovaRange(0, 5), new IovaRange(0xffffffffffff8007L, -1));
        try (DmaMapping mapping = ioas.map(memory, READ_WRITE)) {
          assertThat(mapping.iova()).isBetween(0xffffffffffff9000L, 0xffffffffffffb000L);
        }
        assertThatExceptionOfType(IovaExhaustedException.class)
            .isThrownBy(() -> ioas.map(Memory.pages(arena, 8), READ_WRITE));
      } else {
        assertThat(ioas.iovaRanges()).isEmpty();
        assertThatExceptionOfType(IovaExhaustedException.class)
            .isThrownBy(() -> ioas.map(memory, READ_WRITE));
      }
      assertThat(space.mock().pinned(memory, 0)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsAllowedCannotBeReservedNorTheOtherWayRound(Setup setup) throws IOException {
    try (MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      List<IovaRange> allowed = List.of(new IovaRange(space.base(), space.base() + 600 * PAGE - 1));
      ioas.allowIovas(allowed);
      assertRefused(Errno.EADDRINUSE, () -> space.mock().reserve(ioas, space.base() + PAGE, PAGE));
      ioas.allowIovas(List.of());
      space.mock().reserve(ioas, space.base() + PAGE, PAGE);

      assertRefused(Errno.EADDRINUSE, () -> ioas.allowIovas(allowed));
    }
  }

  @ParameterizedTest
  @EnumSource
  void onlyWholePagesAreMapped(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      MemorySegment memory = Memory.pages(arena, 2);
      for (int size = 256; size <= 2 * PAGE; size += 256) {
        MemorySegment part = memory.asSlice(0, size);
        if (size % PAGE == 0) {
          DmaMapping mapping = space.ioas().map(part, READ_WRITE);
          assertThat(space.seen(mapping.iova(), part)).isTrue();
          mapping.close();
        } else {
          assertThatIllegalArgumentException().isThrownBy(() -> space.ioas().map(part, READ_WRITE));
        }
      }
      assertThat(space.mock().pinned(memory, 0)).isTrue();
    }
  }
}
