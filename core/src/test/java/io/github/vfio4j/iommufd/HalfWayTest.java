package io.github.vfio4j.iommufd;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.vtd.VtdS1PageTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the kernel stops half way, the library knows what is done and what is not. */
class HalfWayTest {
  private static final long PAGE = 4096;

  @TempDir Path root;
  private FakeMachine machine;
  private Iommufd iommufd;
  private Ioas ioas;
  private CdevDevice device;
  private HwptPaging parent;

  @BeforeEach
  void bind() throws VfioException {
    machine = new FakeMachine(root);
    iommufd = Iommufd.open(machine.host);
    ioas = iommufd.allocateIoas();
    device = iommufd.bind(machine.device());
    parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    iommufd.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  /** A hardware queue, whose memory cannot be unmapped. */
  private HwQueue queueAt(long iova) throws VfioException {
    return parent
        .allocateViommu(device, Viommu.TEGRA241_CMDQV)
        .allocateHwQueue(HwQueue.TEGRA241_CMDQV, 0, iova, PAGE);
  }

  private List<String> mapped() {
    return machine.kernel.leftOpen().stream().filter(left -> left.startsWith("mapping")).toList();
  }

  @Test
  void whatIsGoneAfterARefusedUnmapAllIsForgottenAndTheRestCanBeUnmapped() throws VfioException {
    DmaBuffer first = ioas.allocate(PAGE);
    DmaBuffer locked = ioas.allocate(PAGE);
    DmaBuffer last = ioas.allocate(PAGE);
    HwQueue queue = queueAt(locked.iova());

    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(ioas::unmapAll)
        .withMessageContaining("IOMMU_IOAS_UNMAP");

    assertThat(mapped())
        .containsExactly("mapping of 0x1000 bytes at 0x%x".formatted(locked.iova()));
    first.close();
    last.close();
    assertThat(first.segment().scope().isAlive()).isFalse();
    assertThat(last.segment().scope().isAlive()).isFalse();
    assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(locked::close);
    locked.segment().set(JAVA_INT, 0, 42);

    queue.close();
    locked.close();
    assertThat(locked.segment().scope().isAlive()).isFalse();
    assertThat(mapped()).isEmpty();
  }

  @Test
  void theAddressesOfWhatIsGoneAreFreeAndThoseOfTheRestAreNot() throws VfioException {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory = arena.allocate(3 * PAGE, PAGE);
      DmaMapping gone = ioas.map(memory.asSlice(0, PAGE), DmaAccess.READ);
      DmaMapping locked = ioas.map(memory.asSlice(PAGE, PAGE), DmaAccess.READ);
      HwQueue queue = queueAt(locked.iova());
      assertThatExceptionOfType(DeviceBusyException.class).isThrownBy(ioas::unmapAll);

      assertThatIllegalArgumentException().isThrownBy(() -> ioas.unmap(gone.iova(), PAGE));
      DmaMapping next = ioas.map(memory.asSlice(2 * PAGE, PAGE), DmaAccess.READ);
      DmaMapping other = ioas.map(memory, DmaAccess.READ);
      assertThat(next.iova()).isEqualTo(gone.iova());
      assertThat(other.iova()).isGreaterThan(locked.iova());
      gone.close();
      assertThat(mapped()).hasSize(3);

      queue.close();
      locked.close();
      assertThat(mapped()).hasSize(2);
      ioas.unmapAll();
      assertThat(mapped()).isEmpty();
    }
  }

  @Test
  void invalidationsBeforeTheRefusedOneAreToldAsHandled() throws VfioException {
    HwptNested nested = parent.allocateNested(device, new VtdS1PageTable(0, 48, 0));
    InvalidationBatch batch =
        InvalidationBatch.vtdS1(3)
            .addVtdS1(0x1000, 1, true)
            .addVtdS1(0x2000, 1, true)
            .addVtdS1(0x3000, 1, true);
    machine.iommu.refuseInvalidation(2, Errno.EINVAL);

    assertThatExceptionOfType(InvalidationException.class)
        .isThrownBy(() -> nested.invalidate(batch))
        .satisfies(e -> assertThat(e.handled()).isEqualTo(2))
        .satisfies(e -> assertThat(e.errno()).contains(Errno.EINVAL))
        .withMessageContaining("entry 2 of 3 is refused");
    assertThat(machine.kernel.log()).containsOnlyOnce("IOMMU_HWPT_INVALIDATE");
  }

  /** Its driver drops commands that it has counted, so they are given to it once more. */
  @Test
  void commandsOfAnSmmuBeforeTheRefusedOneAreCarriedOut() throws VfioException {
    Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
    InvalidationBatch batch =
        InvalidationBatch.armSmmuv3(3).addArmSmmuv3(1, 2).addArmSmmuv3(3, 4).addArmSmmuv3(5, 6);
    machine.iommu.refuseInvalidation(1, Errno.EIO);

    assertThatExceptionOfType(InvalidationException.class)
        .isThrownBy(() -> viommu.invalidate(batch))
        .satisfies(e -> assertThat(e.handled()).isEqualTo(1));
    assertThat(machine.kernel.log()).filteredOn("IOMMU_HWPT_INVALIDATE"::equals).hasSize(2);
  }
}
