package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.InvalidationException;
import io.github.vfio4j.iommufd.RawHwptData;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Page tables of a guest, nested directly on one that the kernel fills. */
@OnMachine(value = "bare", since = "7.0")
class NestedTest {
  private static final int CACHED = 0xbadbeef;
  private static final int ENTRIES = 4;
  private static final int NO_FLAG = 0;
  private static final int WRONG_FLAG = 1 << 31;

  private MockSpace space;
  private MockDevice device;
  private HwptPaging parent;

  @BeforeEach
  void makeParent() throws VfioException {
    space = MockSpace.open(1);
    device = space.device();
    parent = space.ioas().allocateHwpt(device, HwptFlag.NEST_PARENT);
  }

  @AfterEach
  void end() throws VfioException {
    space.close();
  }

  private HwptNested nested() throws VfioException {
    return parent.allocateNested(device, MockData.nested(CACHED));
  }

  private void assertCached(HwptNested table, int... entries) throws VfioException {
    for (int i = 0; i < ENTRIES; i++) {
      assertThat(space.mock().cached(table, i, entries[i])).as("entry %d", i).isTrue();
    }
  }

  @Test
  void badDataIsRefused() throws IOException {
    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> parent.allocateNested(device, new RawHwptData(MockData.HWPT + 1, new byte[8])));
    assertRefused(
        Errno.EINVAL,
        () -> parent.allocateNested(device, new RawHwptData(MockData.HWPT, new byte[3])));
    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> parent.allocateNested(device, MockData.nested(CACHED), null, HwptFlag.NEST_PARENT));
    HwptPaging noParent = space.ioas().allocateHwpt(device);
    assertRefused(Errno.EINVAL, () -> noParent.allocateNested(device, MockData.nested(CACHED)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RawHwptData(0, new byte[8])); // data of no type
  }

  @Test
  void faultQueueGoesWithNestedTablesOnly() throws IOException {
    FaultQueue faults = space.iommufd().allocateFaultQueue();

    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> space.ioas().allocateHwpt(device, faults, HwptFlag.NEST_PARENT));

    parent.allocateNested(device, MockData.nested(CACHED), faults);
    space.ioas().allocateHwpt(device, faults);
    faults.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> parent.allocateNested(device, MockData.nested(CACHED), faults));
  }

  @Test
  void nestedTablesShareTheirParentAndEndBeforeIt() throws IOException {
    HwptNested first = nested();
    HwptNested second = nested();
    assertThat(first.parent()).isSameAs(parent);
    assertCached(first, CACHED, CACHED, CACHED, CACHED);

    device.replace(first);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, first::close);
    device.replace(second);
    first.close();
    DeviceBusyException busy = assertRefused(DeviceBusyException.class, Errno.EBUSY, parent::close);
    assertThat(busy.object()).isEqualTo(second.toString());
    assertCached(second, CACHED, CACHED, CACHED, CACHED);
    second.invalidate(MockData.ofNested(MockData.ALL, 0));
    assertCached(second, 0, 0, 0, 0);

    device.replace(parent);
    second.close();
    assertRefused(DeviceBusyException.class, Errno.EBUSY, parent::close);
    device.replace(space.ioas());
    nested();
    parent.close();
    assertThatIllegalStateException().isThrownBy(this::nested);
    assertThatIllegalStateException()
        .isThrownBy(() -> second.invalidate(MockData.ofNested(MockData.ALL, 0)));
  }

  @Test
  void invalidationStopsAtTheEntryThatIsRefused() throws IOException {
    HwptNested table = nested();

    InvalidationException flag =
        assertRefused(
            InvalidationException.class,
            Errno.EOPNOTSUPP,
            () -> table.invalidate(MockData.ofNested(NO_FLAG, 0, WRONG_FLAG, 1)));
    assertThat(flag.handled()).isEqualTo(1);
    assertCached(table, 0, CACHED, CACHED, CACHED);

    InvalidationException entry =
        assertRefused(
            InvalidationException.class,
            Errno.EINVAL,
            () ->
                table.invalidate(
                    MockData.ofNested(NO_FLAG, 0, NO_FLAG, 1, NO_FLAG, ENTRIES, NO_FLAG, 2)));
    assertThat(entry.handled()).isEqualTo(2);
    assertThat(entry).hasMessageContaining("entry 2 of 4");
    assertCached(table, 0, 0, CACHED, CACHED);

    table.invalidate(MockData.ofNested(NO_FLAG, 2, NO_FLAG, 3));
    assertCached(table, 0, 0, 0, 0);
  }

  @Test
  void badBatchesInvalidateNothing() throws IOException {
    HwptNested table = nested();
    table.invalidate(MockData.ofNested()); // asks whether there is such an invalidation

    assertNothingHandled(table, Errno.EINVAL, MockData.ofNested(NO_FLAG, ENTRIES));
    assertNothingHandled(table, Errno.EINVAL, zeroes(MockData.INVALIDATION + 1, 8));
    assertNothingHandled(table, Errno.EINVAL, zeroes(MockData.INVALIDATION, 1));
    assertNothingHandled(table, Errno.EINVAL, zeroes(MockData.INVALIDATION, 4097));
    assertRefused(
        UnsupportedByKernelException.class,
        Errno.EOPNOTSUPP,
        () -> table.invalidate(MockData.ofNested(WRONG_FLAG, 0)));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> InvalidationBatch.raw(MockData.INVALIDATION, 0, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> InvalidationBatch.raw(MockData.INVALIDATION, 8, (1 << 19) + 1));

    assertCached(table, CACHED, CACHED, CACHED, CACHED);
  }

  /** A batch of one entry that is all zeroes. */
  static InvalidationBatch zeroes(int type, int size) {
    return InvalidationBatch.raw(type, size, 1).add(MemorySegment.ofArray(new byte[size]));
  }

  private static void assertNothingHandled(HwptNested table, Errno errno, InvalidationBatch batch) {
    InvalidationException refusal =
        assertRefused(InvalidationException.class, errno, () -> table.invalidate(batch));
    assertThat(refusal.handled()).isZero();
  }

  @Test
  void deviceOfAnotherIommufdIsRefused() throws IOException {
    try (MockSpace foreign = MockSpace.open(1)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> parent.allocateNested(foreign.device(), MockData.nested(CACHED)));
    }
  }

  @Test
  void tableThatIsGoneIsNotAttached() throws IOException {
    HwptNested table = nested();
    table.close();

    assertRefused(Errno.ENOENT, () -> device.replace(table));
  }
}
