package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.IoAddressSpace.MemoryRegion;
import io.github.vfio4j.fake.FakeMachine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is mapped or unmapped by one call is so as a whole. */
class SeveralMappingsTest {
  private static final long PAGE = 4096;

  @TempDir Path root;

  private interface Case {
    void run(FakeMachine machine, IoAddressSpace space, MemorySegment pages) throws Exception;
  }

  private void on(Backend backend, Case test) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (Arena arena = Arena.ofConfined();
        VfioDevice device = machine.open(backend)) {
      test.run(machine, device.addressSpace(), arena.allocate(8 * PAGE, PAGE));
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static MemoryRegion region(long iova, MemorySegment pages, int first, int count) {
    return new MemoryRegion(iova, pages.asSlice(first * PAGE, count * PAGE), DmaAccess.READ_WRITE);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aRangeIsUnmappedWithItsHoles(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          space.mapAll(
              List.of(
                  region(0x20000, pages, 0, 2),
                  region(0x22000, pages, 2, 1),
                  region(0x40000, pages, 3, 1),
                  region(0x10000, pages, 4, 1)));
          int before = machine.kernel.log().size();

          assertThat(space.unmapRange(0x20000, 0x30000)).isEqualTo(4 * PAGE);

          assertThat(machine.kernel.log()).hasSize(before + 2); // one call for each run
          assertThat(space.unmapRange(0x20000, 0x30000)).isZero();
          space.map(pages, 0x20000, DmaAccess.READ);
          space.unmap(0x10000, PAGE);
        });
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aRangeThatCutsAMappingIsRefusedBeforeTheKernelSeesIt(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          space.mapAll(List.of(region(0x20000, pages, 0, 2), region(0x30000, pages, 2, 2)));
          int before = machine.kernel.log().size();

          assertThatIllegalArgumentException()
              .isThrownBy(() -> space.unmapRange(0x20000, 0x11000))
              .withMessageContaining("0x30000-0x31fff reaches out of it");
          assertThatIllegalArgumentException().isThrownBy(() -> space.unmapRange(0x21000, 0x20000));
          assertThatIllegalArgumentException().isThrownBy(() -> space.unmapRange(0x20000, 0));
          assertThatIllegalArgumentException().isThrownBy(() -> space.unmapRange(0x20000, -1));

          assertThat(machine.kernel.log()).hasSize(before);
          assertThat(space.unmapRange(0, -1)).isEqualTo(4 * PAGE);
        });
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void whatTheKernelRefusesToUnmapStaysMapped(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          space.mapAll(List.of(region(0x20000, pages, 0, 1), region(0x21000, pages, 1, 1)));
          machine.kernel.fail(FakeMachine.unmapOperation(backend), Errno.EBUSY);

          assertThatExceptionOfType(DeviceBusyException.class)
              .isThrownBy(() -> space.unmapRange(0x20000, 2 * PAGE));

          machine.kernel.failNoMore();
          assertThatExceptionOfType(IovaInUseException.class)
              .isThrownBy(() -> space.map(pages, 0x20000, DmaAccess.READ));
          assertThat(space.unmapRange(0x20000, 2 * PAGE)).isEqualTo(2 * PAGE);
        });
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aBatchIsCheckedWholeBeforeTheKernelSeesIt(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          space.map(pages.asSlice(0, PAGE), 0x20000, DmaAccess.READ);
          int before = machine.kernel.log().size();
          MemoryRegion good = region(0x10000, pages, 1, 1);

          assertThatExceptionOfType(IovaInUseException.class)
              .isThrownBy(() -> space.mapAll(List.of(good, region(0x1f000, pages, 2, 2))));
          assertThatIllegalArgumentException()
              .isThrownBy(() -> space.mapAll(List.of(good, region(0xf000, pages, 2, 2))))
              .withMessageContaining("0x1000 bytes at 0x10000 and 0x2000 bytes at 0xf000 overlap");
          assertThatIllegalArgumentException()
              .isThrownBy(() -> space.mapAll(List.of(good, region(0x30001, pages, 2, 2))));
          assertThatIllegalArgumentException()
              .isThrownBy(() -> space.mapAll(List.of(good, region(-PAGE, pages, 2, 2))));
          assertThatIllegalArgumentException()
              .isThrownBy(() -> space.mapAll(List.of(good, region(0x30000, pages, 2, 0))));

          assertThat(machine.kernel.log()).hasSize(before);
          space.mapAll(List.of());
          space.map(good.memory(), good.iova(), good.access());
        });
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aBatchThatIsRefusedHalfWayLeavesNothing(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          List<MemoryRegion> batch =
              List.of(
                  region(0x10000, pages, 0, 1),
                  region(0x20000, pages, 1, 2),
                  region(0x30000, pages, 3, 1));
          for (int before = 0; before < 3; before++) {
            machine.kernel.failCall(before + 1, Errno.ENOMEM);
            assertThatExceptionOfType(MemlockLimitException.class)
                .isThrownBy(() -> space.mapAll(batch));
            machine.kernel.failNoMore();
            assertThat(space.unmapRange(0, -1)).isZero();
          }

          space.mapAll(batch);
          assertThat(space.unmapRange(0, -1)).isEqualTo(4 * PAGE);
        });
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aLayoutCanBeGivenAgainAndAgain(Backend backend) throws Exception {
    on(
        backend,
        (machine, space, pages) -> {
          MemoryRegion low = region(0x10000, pages, 0, 2);
          MemoryRegion high = region(0x100000, pages, 2, 2);
          assertThat(space.mapMissing(List.of(low))).containsExactly(low);
          assertThat(space.mapMissing(List.of(high, low))).containsExactly(high);
          int before = machine.kernel.log().size();

          assertThat(space.mapMissing(List.of(low, high))).isEmpty();

          assertThat(machine.kernel.log()).hasSize(before);
          for (MemoryRegion other :
              List.of(
                  region(0x10000, pages, 4, 2),
                  region(0x10000, pages, 0, 1),
                  new MemoryRegion(0x10000, low.memory(), DmaAccess.READ))) {
            assertThatExceptionOfType(IovaInUseException.class)
                .isThrownBy(
                    () -> space.mapMissing(List.of(other, high, region(0x200000, pages, 6, 1))));
          }
          assertThat(machine.kernel.log()).hasSize(before);
          assertThat(space.unmapRange(0, -1)).isEqualTo(4 * PAGE);
        });
  }
}
