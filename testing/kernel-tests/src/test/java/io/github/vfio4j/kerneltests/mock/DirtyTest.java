package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.iommufd.HwptFlag.DIRTY_TRACKING;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.HUGE_PAGE;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which pages a device has written: real bits, though the device only pretends to write. */
@OnMachine(value = "bare", since = "7.0")
class DirtyTest {
  private static final long AT = Mock.APERTURE_FIRST;
  private static final int KIB = 1 << 10;
  private static final int MIB = 1 << 20;
  private static final int MOST_BITS = 200;

  @Test
  void onlyDevicesWithDirtyBitsAreAttached() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      Mock mock = space.mock();
      HwptPaging table = space.ioas().allocateHwpt(space.device(), DIRTY_TRACKING);
      MockDevice.attach(mock, table).close();
      assertRefused(Errno.EINVAL, () -> MockDevice.attach(mock, table, MockDevice.NO_DIRTY));

      Ioas ioas = space.iommufd().allocateIoas();
      MockDevice without = MockDevice.attach(mock, ioas, MockDevice.NO_DIRTY);
      assertRefused(
          UnsupportedByKernelException.class,
          Errno.EOPNOTSUPP,
          () -> ioas.allocateHwpt(without, DIRTY_TRACKING));
      assertRefused(Errno.EINVAL, () -> without.replace(table));
    }
  }

  @Test
  void collectingIsSwitchedOnAndOff() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1)) {
      space.ioas().map(Memory.pages(arena, 1), AT, READ_WRITE);
      HwptPaging table = space.ioas().allocateHwpt(space.device(), DIRTY_TRACKING);
      try (MockDevice device = MockDevice.attach(space.mock(), table)) {
        assertThat(device.table()).isEqualTo(table.id());
        MemorySegment bit = arena.allocateFrom(JAVA_BYTE, (byte) 1);
        assertRefused(Errno.EINVAL, () -> space.mock().write(table, AT, PAGE, PAGE, bit));
        table.setDirtyTracking(true);
        assertThat(space.mock().write(table, AT, PAGE, PAGE, bit)).isEqualTo(1);
        table.setDirtyTracking(false);
        assertRefused(Errno.EINVAL, () -> space.mock().write(table, AT, PAGE, PAGE, bit));
      }
      table.close();
    }
  }

  @Test
  void collectingGoesWithPasids() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      Mock mock = space.mock();
      HwptPaging table = space.ioas().allocateHwpt(space.device(), HwptFlag.PASID, DIRTY_TRACKING);
      assertThat(table.flags()).containsExactlyInAnyOrder(HwptFlag.PASID, DIRTY_TRACKING);
      MockDevice device = MockDevice.attach(mock, table, MockDevice.PASID);
      device.attachPasid(100, table);
      assertThat(device.isPasidAttached(100, table)).isTrue();
      table.setDirtyTracking(true);
      table.setDirtyTracking(false);
      device.detachPasid(100);
      device.close();

      MockDevice without =
          MockDevice.attach(
              mock, space.iommufd().allocateIoas(), MockDevice.PASID | MockDevice.NO_DIRTY);
      assertRefused(Errno.EINVAL, () -> without.attachPasid(100, table));
      assertThat(without.isPasidDetached(100)).isTrue();
    }
  }

  @Test
  void deviceSaysThatItHasDirtyBits() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      HwptPaging table = space.ioas().allocateHwpt(space.device());
      MockDevice device = MockDevice.attach(space.mock(), table);

      assertThat(HwInfo.of(device).dirtyTracking()).isTrue();
    }
  }

  @Test
  void pageTableMadeWithoutItCollectsNothing() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      HwptPaging table = space.ioas().allocateHwpt(space.device());
      DirtyBitmap bitmap = new DirtyBitmap(AT, PAGE, PAGE);

      assertRefused(
          UnsupportedByKernelException.class, Errno.EOPNOTSUPP, () -> table.setDirtyTracking(true));
      assertRefused(
          UnsupportedByKernelException.class,
          Errno.EOPNOTSUPP,
          () -> table.readAndClearDirty(bitmap));
    }
  }

  @Test
  void rangeIsWholePagesOfTheIommu() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MockSpace space = MockSpace.open(1)) {
      space.ioas().map(Memory.pages(arena, 2), AT, READ_WRITE);
      HwptPaging table = space.ioas().allocateHwpt(space.device(), DIRTY_TRACKING);
      table.setDirtyTracking(true);

      assertThatIllegalArgumentException()
          .isThrownBy(() -> table.readDirty(new DirtyBitmap(AT + 1024, 1024, 1024)));
      DirtyBitmap good = new DirtyBitmap(AT, 2 * PAGE, 1024);
      table.readDirty(good);
      assertThat(good.count()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, 320 * KIB, 64 * MIB, 128 * MIB})
  void readingClearsWhatWasWritten(int size) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Written written = Written.ordinaryPages(arena, size)) {
      written.assertFound(PAGE, true);
      written.assertFound(Mock.PAGE, true);
      written.assertFound(8 * KIB, true);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8 * KIB, 16 * KIB, 64 * KIB, 128 * KIB, 320 * KIB, 64 * MIB, 128 * MIB})
  void lookingLeavesWhatWasWritten(int size) throws IOException {
    try (Arena arena = Arena.ofConfined();
        Written written = Written.ordinaryPages(arena, size)) {
      written.assertFound(PAGE, false);
      written.assertFound(Mock.PAGE, false);
    }
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void hugePagesAreWrittenAsOne(boolean clear) throws IOException {
    try (Written written = Written.hugePages(32 * HUGE_PAGE)) {
      written.assertFound(HUGE_PAGE, clear);
    }
  }

  /** A device attached to a page table that collects, and memory that it writes. */
  private record Written(MockSpace space, HwptPaging table, long size, long leaf)
      implements AutoCloseable {
    static Written ordinaryPages(Arena arena, long size) throws VfioException {
      MockSpace space = MockSpace.open(1);
      space.ioas().setHugePages(false);
      return map(space, arena.allocate(size, PAGE), PAGE);
    }

    static Written hugePages(long size) throws VfioException {
      MockSpace space = MockSpace.open(1);
      MemorySegment memory = space.iommufd().allocateIoas().allocateHuge(size, HUGE_PAGE).segment();
      return map(space, memory, HUGE_PAGE);
    }

    /** Maps each leaf by itself, so that the IOMMU does not combine those that are contiguous. */
    private static Written map(MockSpace space, MemorySegment memory, long leaf)
        throws VfioException {
      if (leaf == PAGE) {
        space.ioas().map(memory, AT, READ_WRITE);
      }
      for (long at = 0; leaf != PAGE && at < memory.byteSize(); at += leaf) {
        space.ioas().map(memory.asSlice(at, leaf), AT + at, READ_WRITE);
      }
      HwptPaging table = space.ioas().allocateHwpt(space.device(), DIRTY_TRACKING);
      assertThat(space.mock().maps(table, AT, memory)).isTrue();
      table.setDirtyTracking(true);
      return new Written(space, table, memory.byteSize(), leaf);
    }

    /** Writes some pages, and finds them with bits that stand for units of another size. */
    void assertFound(long unit, boolean clear) throws VfioException {
      DirtyBitmap before = new DirtyBitmap(AT, size, unit);
      table.readAndClearDirty(before); // what an earlier call has left
      BitSet leaves = write();
      BitSet expected = new BitSet();
      leaves.stream()
          .forEach(i -> expected.set((int) (i * leaf / unit), (int) ceil((i + 1) * leaf, unit)));
      DirtyBitmap found = new DirtyBitmap(AT, size, unit);

      read(found, clear);
      assertThat(bits(found)).isEqualTo(expected);
      assertThat(found.count()).isEqualTo(expected.cardinality());
      read(found, clear); // what is set stays set
      assertThat(bits(found)).isEqualTo(expected);

      found.clear();
      table.readDirty(found);
      assertThat(bits(found)).isEqualTo(clear ? new BitSet() : expected);
    }

    private void read(DirtyBitmap bitmap, boolean clear) throws VfioException {
      if (clear) {
        table.readAndClearDirty(bitmap);
      } else {
        table.readDirty(bitmap);
      }
    }

    private BitSet write() throws VfioException {
      int count = (int) (size / leaf);
      Random random = new Random(count);
      BitSet leaves = new BitSet();
      leaves.set(0);
      leaves.set(count - 1);
      for (int i = 0; i < Math.min(count / 2, MOST_BITS); i++) {
        leaves.set(random.nextInt(count));
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bits = arena.allocate((count + 63L) / 64 * Long.BYTES, Long.BYTES);
        bits.copyFrom(MemorySegment.ofArray(leaves.toByteArray()));
        assertThat(space.mock().write(table, AT, size, leaf, bits)).isEqualTo(leaves.cardinality());
      }
      return leaves;
    }

    private static BitSet bits(DirtyBitmap bitmap) {
      BitSet bits = new BitSet();
      long end = bitmap.iova() + bitmap.length();
      long at = bitmap.iova();
      while (at < end && (at = bitmap.nextDirty(at)) != -1) {
        bits.set((int) ((at - bitmap.iova()) / bitmap.pageSize()));
        at += bitmap.pageSize();
      }
      return bits;
    }

    private static long ceil(long bytes, long unit) {
      return (bytes + unit - 1) / unit;
    }

    @Override
    public void close() throws VfioException {
      space.close();
    }
  }
}
