package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.bindings.iommu_hwpt_get_dirty_bitmap;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirtyBitmapTest {
  private static final long IOVA = 0x40_0000;
  private static final long PAGE = 4096;

  /** A bitmap of 130 pages, of which the kernel has set the given ones. */
  private static DirtyBitmap read(Path root, int... pages) throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    DirtyBitmap bitmap = new DirtyBitmap(IOVA, 130 * PAGE, PAGE);
    machine.kernel.tamper(
        (operation, reply) -> {
          if (operation == Ioctl.IOMMU_HWPT_GET_DIRTY_BITMAP) {
            MemorySegment bits = bits(reply);
            for (int page : pages) {
              long word = bits.getAtIndex(ValueLayout.JAVA_LONG, page / 64);
              bits.setAtIndex(ValueLayout.JAVA_LONG, page / 64, word | 1L << page);
            }
          }
        });
    try (CdevDevice device = (CdevDevice) machine.open(Backend.IOMMUFD)) {
      device.addressSpace().allocateHwpt(device, HwptFlag.DIRTY_TRACKING).readAndClearDirty(bitmap);
    }
    return bitmap;
  }

  @SuppressWarnings("restricted") // the request names room for three words
  private static MemorySegment bits(MemorySegment request) {
    return MemorySegment.ofAddress(iommu_hwpt_get_dirty_bitmap.data(request)).reinterpret(24);
  }

  @Test
  void takesAllPagesThatARangeTouchesForWritten() {
    DirtyBitmap bitmap = new DirtyBitmap(IOVA, 130 * PAGE, PAGE);

    bitmap.add(IOVA + 3 * PAGE + 4095, 2);
    bitmap.add(IOVA + 63 * PAGE, 66 * PAGE + 1);
    bitmap.add(IOVA + 7 * PAGE, 0);

    assertThat(bitmap.count()).isEqualTo(2 + 67);
    assertThat(bitmap.nextDirty(IOVA)).isEqualTo(IOVA + 3 * PAGE);
    assertThat(bitmap.isDirty(IOVA + 4 * PAGE)).isTrue();
    assertThat(bitmap.nextDirty(IOVA + 5 * PAGE)).isEqualTo(IOVA + 63 * PAGE);
    assertThat(bitmap.isDirty(IOVA + 129 * PAGE)).isTrue();

    bitmap.add(IOVA, 130 * PAGE);
    assertThat(bitmap.count()).isEqualTo(130);
  }

  @Test
  void takesNothingForWrittenThatIsOutside() {
    DirtyBitmap bitmap = new DirtyBitmap(IOVA, 130 * PAGE, PAGE);
    for (long[] range :
        new long[][] {
          {IOVA - 1, 1}, {IOVA - 1, 2}, {IOVA + 130 * PAGE - 1, 2}, {IOVA + PAGE, -1}, {IOVA, -PAGE}
        }) {
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> bitmap.add(range[0], range[1]));
    }
    assertThat(bitmap.count()).isZero();
  }

  @Test
  void findsThePagesThatWereWritten(@TempDir Path root) throws VfioException {
    DirtyBitmap bitmap = read(root, 0, 63, 64, 129);

    assertThat(bitmap.count()).isEqualTo(4);
    assertThat(bitmap.isDirty(IOVA + 5)).isTrue();
    assertThat(bitmap.isDirty(IOVA + PAGE)).isFalse();
    assertThat(bitmap.isDirty(IOVA + 129 * PAGE)).isTrue();
    assertThat(bitmap.nextDirty(IOVA)).isEqualTo(IOVA);
    assertThat(bitmap.nextDirty(IOVA + PAGE)).isEqualTo(IOVA + 63 * PAGE);
    assertThat(bitmap.nextDirty(IOVA + 65 * PAGE)).isEqualTo(IOVA + 129 * PAGE);

    bitmap.clear();
    assertThat(bitmap.count()).isZero();
    assertThat(bitmap.nextDirty(IOVA)).isEqualTo(-1);
  }

  @Test
  void asksForItsRangeOnly(@TempDir Path root) throws VfioException {
    DirtyBitmap bitmap = read(root, 1);

    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> bitmap.isDirty(IOVA - 1));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> bitmap.nextDirty(IOVA + 130 * PAGE));
  }

  @Test
  void refusesRangesThatAreNotWholePages() {
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(0, PAGE, 3));
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(0, 0, PAGE));
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(1, PAGE, PAGE));
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(0, PAGE + 1, PAGE));
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(-PAGE, 2 * PAGE, PAGE));
    assertThatIllegalArgumentException().isThrownBy(() -> new DirtyBitmap(0, 1L << 62, 1));
  }
}
