package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.EBADE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.HUGE_PAGE;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
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

/** The kernel itself uses what is mapped, as for mediated devices, next to real devices. */
@OnMachine(value = "bare", since = "7.0")
class AccessTest {
  private static final long AT = Mock.APERTURE_FIRST;
  private static final int PAGES = 16;

  @ParameterizedTest
  @EnumSource
  void pinOutlivesTheDeviceInTheMiddleOfHugePages(Setup setup) throws IOException {
    try (MockSpace space = setup.open()) {
      MemorySegment memory =
          space.iommufd().allocateIoas().allocateHuge(2 * HUGE_PAGE, HUGE_PAGE).segment();
      space.ioas().map(memory, AT, READ_WRITE);
      assertThat(space.seen(AT, memory)).isTrue();
      MockAccess access = MockAccess.pinning(space.mock(), space.ioas());
      int pages = access.pin(AT + PAGE, memory.asSlice(PAGE, PAGE));

      for (MockDevice device : space.devices()) {
        device.close();
      }

      access.unpin(pages);
      assertRefused(Errno.ENOENT, () -> access.unpin(pages));
      access.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void pinsAreCountedWithAndWithoutDevices(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      Ioas ioas = space.ioas();
      MemorySegment memory = Memory.pages(arena, PAGES);
      MockAccess access = MockAccess.pinning(space.mock(), ioas);
      for (int count = 1; count < PAGES; count++) {
        MemorySegment part = memory.asSlice(0, count * PAGE);
        MemorySegment rest = memory.asSlice(count * PAGE, (PAGES - count) * PAGE);
        ioas.map(memory, AT, READ_WRITE);
        access.unpin(access.pin(AT, part));
        assertThat(space.mock().pinned(memory, space.pins())).isTrue();

        int first = access.pin(AT, part);
        access.unpin(access.pin(AT, part));
        assertThat(space.mock().pinned(part, 1)).isTrue();
        assertThat(space.mock().pinned(rest, space.pins())).isTrue();

        try (MockDevice later = MockDevice.attach(space.mock(), ioas)) {
          assertThat(later.sees(AT, memory)).isTrue();
          assertThat(space.mock().pinned(memory, 1)).isTrue();
        }
        access.unpin(first);
        ioas.unmap(AT, memory.byteSize());
        assertThat(space.mock().pinned(memory, 0)).isTrue();
      }
      assertRefused(Errno.ENOENT, () -> access.pin(AT, memory));
    }
  }

  @ParameterizedTest
  @EnumSource
  void unmappingTakesAPinAway(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      MemorySegment memory = Memory.pages(arena, PAGES);
      MockAccess access = MockAccess.pinning(space.mock(), space.ioas());
      space.ioas().map(memory, AT, READ_WRITE);
      int pages = access.pin(AT, memory);
      assertThat(space.mock().pinned(memory, 1)).isTrue();

      space.ioas().unmap(AT, memory.byteSize());

      assertThat(space.mock().pinned(memory, 0)).isTrue();
      assertRefused(Errno.ENOENT, () -> access.unpin(pages));
    }
  }

  @Test
  void pinsWhatIsMappedAndNothingElse() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(0)) {
      MockAccess access = MockAccess.pinning(space.mock(), space.ioas());
      MemorySegment memory = Memory.pages(arena, 2);
      space.ioas().map(memory.asSlice(0, PAGE), AT, READ_WRITE);

      assertRefused(EBADE, () -> access.pin(AT, memory.asSlice(PAGE, PAGE)));
      assertThat(space.mock().pinned(memory, 0)).isTrue();
      access.pin(AT, memory.asSlice(0, PAGE));
      assertRefused(DeviceBusyException.class, Errno.EBUSY, space.ioas()::close);
      access.close();
      space.ioas().close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void readsAndWritesAcrossPages(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      MemorySegment memory = Memory.pages(arena, PAGES, 1);
      MockAccess access = MockAccess.copying(space.mock(), space.ioas());
      DmaMapping mapping = space.ioas().map(memory, READ_WRITE);

      assertCopies(arena, memory, mapping.iova(), access::read, access::write);
      assertCopies(arena, memory, mapping.iova(), access::readSlowly, access::writeSlowly);

      MemorySegment one = arena.allocate(1);
      assertRefused(Errno.ENOENT, () -> access.read(mapping.iova() + memory.byteSize(), one));
    }
  }

  private interface Copy {
    void run(long iova, MemorySegment memory) throws VfioException;
  }

  /** Copies to and from every alignment around the end of a page, and everything at once. */
  private static void assertCopies(
      Arena arena, MemorySegment memory, long iova, Copy read, Copy write) throws VfioException {
    int seed = 1;
    for (long offset = PAGE - 50; offset < PAGE + 50; offset += 7) {
      for (long size = 1; size < 64; size += 3) {
        MemorySegment mapped = memory.asSlice(offset, size);
        MemorySegment copy = arena.allocate(size);
        read.run(iova + offset, copy);
        assertThat(copy.mismatch(mapped)).isEqualTo(-1);
        Memory.fill(copy, ++seed);
        write.run(iova + offset, copy);
        assertThat(mapped.mismatch(copy)).isEqualTo(-1);
      }
    }
    MemorySegment all = arena.allocate(memory.byteSize());
    read.run(iova, all);
    assertThat(all.mismatch(memory)).isEqualTo(-1);
  }

  @ParameterizedTest
  @EnumSource
  void readsAndWritesWhereOnlyAPageOfTheDeviceIsAligned(Setup setup) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = setup.open()) {
      MemorySegment memory = Memory.pages(arena, PAGES, 2);
      MockAccess access = MockAccess.copying(space.mock(), space.ioas());
      long iova = space.base() + PAGE;
      space.ioas().map(memory, iova, READ_WRITE);

      // the library maps whole pages; what is left of misalignment is where an access begins
      assertCopies(
          arena,
          memory.asSlice(Mock.PAGE, memory.byteSize() - Mock.PAGE),
          iova + Mock.PAGE,
          access::read,
          access::write);
    }
  }

  @Test
  void writesNothingThatIsMappedReadOnly() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(0)) {
      MemorySegment memory = Memory.pages(arena, 1, 3);
      space.ioas().map(memory, AT, READ);
      MockAccess access = MockAccess.copying(space.mock(), space.ioas());
      MemorySegment bytes = arena.allocate(8);

      assertRefused(Errno.EPERM, () -> access.write(AT, bytes));

      assertThat(memory.mismatch(Memory.pages(arena, 1, 3))).isEqualTo(-1);
      access.read(AT, bytes);
      assertThat(bytes.mismatch(memory.asSlice(0, 8))).isEqualTo(-1);
    }
  }
}
