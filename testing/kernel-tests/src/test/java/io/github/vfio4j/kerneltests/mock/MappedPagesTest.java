package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.HUGE_PAGE;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static java.nio.channels.FileChannel.MapMode.PRIVATE;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pages that are mapped are those that devices see, whatever memory they are of. */
@OnMachine(value = "bare", since = "7.0")
class MappedPagesTest {
  private static final int PAGES = 8;

  @TempDir Path directory;

  /** Maps a part of some memory at an address of the kernel's choice. */
  private interface Mapper {
    DmaMapping map(long offset, long size) throws VfioException;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void memoryThatIsNotThereIsNotMapped(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices);
        FileChannel file = scratch(PAGES * PAGE)) {
      MemorySegment memory = file.map(MapMode.READ_WRITE, 0, PAGES * PAGE, arena);
      Ioas ioas = space.ioas();
      try (DmaMapping mapping = ioas.map(memory, READ_WRITE)) {
        assertThat(space.seen(mapping.iova(), memory)).isTrue();
      }

      file.truncate(PAGES / 2 * PAGE);
      assertRefused(Errno.EFAULT, () -> ioas.map(memory, READ_WRITE));
      MemorySegment half = memory.asSlice(0, PAGES / 2 * PAGE);
      assertThat(space.mock().pinned(half, 0)).isTrue();
      try (DmaMapping mapping = ioas.map(half, READ_WRITE)) {
        assertThat(space.seen(mapping.iova(), half)).isTrue();
      }

      file.truncate(0);
      assertRefused(Errno.EFAULT, () -> ioas.map(memory, READ_WRITE));
    }
  }

  private FileChannel scratch(long size) throws IOException {
    FileChannel file =
        FileChannel.open(
            directory.resolve("memory"),
            java.nio.file.StandardOpenOption.CREATE_NEW,
            java.nio.file.StandardOpenOption.READ,
            WRITE);
    file.write(java.nio.ByteBuffer.allocate((int) size));
    return file;
  }

  @Test
  void partOfAFileThatIsNotThereIsNotMapped() throws IOException {
    try (MockSpace space = MockSpace.open(1);
        MemoryFile file = MemoryFile.create("mock", PAGES * PAGE)) {
      Ioas ioas = space.ioas();
      try (DmaMapping mapping = ioas.mapFile(file, 0, PAGE, READ_WRITE)) {
        assertThat(space.seen(mapping.iova(), file.segment().asSlice(0, PAGE))).isTrue();
      }

      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 0, PAGES * PAGE + 1, READ_WRITE));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(file, 0, (PAGES + 1) * PAGE, READ_WRITE));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(file, PAGES * PAGE, PAGE, READ_WRITE));
      assertRefused(Errno.EBADF, () -> ioas.mapFile(-1, 0, PAGE, READ_WRITE));
      assertThat(space.mock().pinned(file.segment(), 0)).isTrue();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void writingToAPrivateMappingLeavesThePageThatADeviceReads(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices);
        FileChannel file = scratch(PAGE)) {
      MemorySegment memory = file.map(PRIVATE, 0, PAGE, arena);
      DmaMapping mapping = space.ioas().map(memory, READ);
      assertThat(space.seen(mapping.iova(), memory)).isTrue();

      memory.fill((byte) 1);

      assertThat(space.seen(mapping.iova(), memory)).isTrue();
      mapping.close();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void everyPartOfMemoryIsSeen(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices)) {
      MemorySegment memory = Memory.pages(arena, PAGES);
      assertEveryPartIsSeen(
          space,
          memory,
          PAGE,
          (offset, size) -> space.ioas().map(memory.asSlice(offset, size), READ_WRITE));
    }
  }

  @Test
  void everyPartOfAFileIsSeen() throws IOException {
    try (MockSpace space = MockSpace.open(1);
        MemoryFile file = MemoryFile.create("mock", PAGES * PAGE)) {
      assertEveryPartIsSeen(
          space,
          file.segment(),
          PAGE,
          (offset, size) -> space.ioas().mapFile(file, offset, size, READ_WRITE));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void everyPartOfHugePagesIsSeen(int devices) throws IOException {
    try (MockSpace space = MockSpace.open(devices)) {
      MemorySegment memory = huge(space);
      assertEveryPartIsSeen(
          space,
          memory,
          HUGE_PAGE / 4,
          (offset, size) -> space.ioas().map(memory.asSlice(offset, size), READ_WRITE));
    }
  }

  /** Huge pages that belong to an address space without devices, so that they are not pinned. */
  private static MemorySegment huge(MockSpace space) throws VfioException {
    return space.iommufd().allocateIoas().allocateHuge(2 * HUGE_PAGE, HUGE_PAGE).segment();
  }

  private static void assertEveryPartIsSeen(
      MockSpace space, MemorySegment memory, long step, Mapper mapper) throws VfioException {
    for (long start = 0; start < memory.byteSize(); start += step) {
      for (long end = start + step; end <= memory.byteSize(); end += step) {
        MemorySegment part = memory.asSlice(start, end - start);
        try (DmaMapping mapping = mapper.map(start, end - start)) {
          assertThat(space.seen(mapping.iova(), part)).isTrue();
          assertThat(space.mock().pinned(part, 1)).isTrue();
        }
      }
    }
    assertThat(space.mock().pinned(memory, 0)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void deviceThatComesLaterSeesEveryPartOfMemory(int devices) throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(devices)) {
      MemorySegment memory = Memory.pages(arena, PAGES);
      assertLaterDeviceSees(
          space,
          memory,
          PAGE,
          (offset, size) -> space.ioas().map(memory.asSlice(offset, size), READ_WRITE));
    }
  }

  @Test
  void deviceThatComesLaterSeesEveryPartOfAFile() throws IOException {
    try (MockSpace space = MockSpace.open(1);
        MemoryFile file = MemoryFile.create("mock", PAGES * PAGE)) {
      assertLaterDeviceSees(
          space,
          file.segment(),
          PAGE,
          (offset, size) -> space.ioas().mapFile(file, offset, size, READ_WRITE));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void deviceThatComesLaterSeesEveryPartOfHugePages(int devices) throws IOException {
    try (MockSpace space = MockSpace.open(devices)) {
      MemorySegment memory = huge(space);
      assertLaterDeviceSees(
          space,
          memory,
          HUGE_PAGE / 2,
          (offset, size) -> space.ioas().map(memory.asSlice(offset, size), READ_WRITE));
    }
  }

  private static void assertLaterDeviceSees(
      MockSpace space, MemorySegment memory, long step, Mapper mapper) throws VfioException {
    for (long start = 0; start < memory.byteSize(); start += step) {
      for (long end = start + step; end <= memory.byteSize(); end += step) {
        MemorySegment part = memory.asSlice(start, end - start);
        try (DmaMapping mapping = mapper.map(start, end - start);
            MockDevice later = MockDevice.attach(space.mock(), space.ioas())) {
          assertThat(later.sees(mapping.iova(), part)).isTrue();
          assertThat(space.seen(mapping.iova(), part)).isTrue();
          assertThat(space.mock().pinned(part, 1)).isTrue();
        }
      }
    }
    assertThat(space.mock().pinned(memory, 0)).isTrue();
  }
}
