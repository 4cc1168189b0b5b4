package io.github.vfio4j.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only the legacy interface has. */
class ContainerExtrasTest {
  private static final long PAGE = 4096;
  private static final long IOVA = 0x10000;

  @TempDir Path root;
  private FakeMachine machine;
  private final MemorySegment memory = Arena.ofAuto().allocate(8 * PAGE, PAGE);
  private Container container;

  @BeforeEach
  void openContainer() throws VfioException {
    machine = new FakeMachine(root);
    container = Containers.open(machine.host);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    container.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private void map() throws VfioException {
    container.group(FakeMachine.GROUP);
    container.map(memory.asSlice(0, 4 * PAGE), IOVA, DmaAccess.READ_WRITE);
  }

  @Test
  void bitsThatAreSetStaySetThoughTheKernelWritesOverThem() throws VfioException {
    map();
    DirtyBitmap bitmap = new DirtyBitmap(IOVA, 4 * PAGE, PAGE);
    DirtyBitmap device = new DirtyBitmap(IOVA, 4 * PAGE, PAGE);
    container.setDirtyTracking(true);
    container.readAndClearDirty(bitmap);
    assertThat(bitmap.nextDirty(IOVA + PAGE)).isEqualTo(IOVA + 2 * PAGE);
    device.add(bitmap);
    container.readAndClearDirty(device);
    assertThat(device.isDirty(IOVA)).isTrue();
    assertThat(device.isDirty(IOVA + PAGE)).isFalse();

    bitmap.clear();
    container.unmapAndReadDirty(bitmap);

    assertThat(bitmap.isDirty(IOVA + 2 * PAGE)).isTrue();
    container.map(memory, IOVA, DmaAccess.READ);
    container.setDirtyTracking(false);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> container.readAndClearDirty(bitmap))
        .withMessageContaining("does not collect");
  }

  @Test
  void aBitmapThatDoesNotFitIsRefusedBeforeTheKernelSeesIt() throws VfioException {
    DirtyBitmap bitmap = new DirtyBitmap(IOVA, 4 * PAGE, PAGE);
    assertThatIllegalStateException().isThrownBy(() -> container.setDirtyTracking(true));
    assertThatIllegalStateException().isThrownBy(() -> container.readAndClearDirty(bitmap));
    assertThatIllegalStateException().isThrownBy(() -> container.mappingsLeft());
    map();
    container.setDirtyTracking(true);
    List<String> before = asked();

    DirtyBitmap coarse = new DirtyBitmap(IOVA, 4 * PAGE, 2 * PAGE);
    assertThatIllegalArgumentException().isThrownBy(() -> container.readAndClearDirty(coarse));
    assertThatIllegalArgumentException().isThrownBy(() -> container.unmapAndReadDirty(coarse));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> container.unmapAndReadDirty(new DirtyBitmap(IOVA, PAGE, PAGE)));
    assertThatIllegalArgumentException().isThrownBy(() -> coarse.add(bitmap));

    assertThat(asked()).isEqualTo(before);
  }

  private List<String> asked() {
    return machine.kernel.log().stream().filter(each -> each.startsWith("VFIO_IOMMU")).toList();
  }

  @Test
  void memoryThatMovesIsWhatIsMappedAgain() throws VfioException {
    map();
    MemorySegment moved = memory.asSlice(4 * PAGE);

    container.moveMemory(IOVA, moved);

    container.unmap(IOVA, 4 * PAGE);
    assertThatIllegalArgumentException().isThrownBy(() -> container.moveMemory(IOVA, moved));
  }

  @Test
  void memoryThatCannotMoveStaysWhereItWas() throws VfioException {
    map();
    MemorySegment moved = memory.asSlice(4 * PAGE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> container.moveMemory(IOVA, moved.asReadOnly()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> container.moveMemory(IOVA, moved.asSlice(0, PAGE)));

    machine.kernel.fail(Ioctl.VFIO_IOMMU_MAP_DMA, Errno.ENOMEM);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> container.moveMemory(IOVA, moved))
        .withMessageContaining("has no address any more");
    machine.kernel.failNoMore();

    container.moveMemory(IOVA, moved);
    container.unmap(IOVA, 4 * PAGE);
  }
}
