package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.InvalidationException;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import io.github.vfio4j.smmuv3.CommandBatch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the kernel refuses a guest of an SMMUv3, and that all goes on afterwards. */
@OnMachine(value = "smmuv3", since = "6.15")
class NestedRefusalTest extends NestedTests {
  @Test
  void malformedStreamTableEntryIsRefused() throws IOException {
    var good = ArmSmmuv3StreamTableEntry.translate(SmmuGuest.MEMORY);
    List<ArmSmmuv3StreamTableEntry> malformed =
        List.of(
            new ArmSmmuv3StreamTableEntry(good.word0() | 1L << 52, good.word1()),
            new ArmSmmuv3StreamTableEntry(good.word0(), 1L << 44),
            new ArmSmmuv3StreamTableEntry(good.word0() | 2 << 1, good.word1()), // both stages
            new ArmSmmuv3StreamTableEntry(3 << 1 | 1, 0));
    for (ArmSmmuv3StreamTableEntry entry : malformed) {
      assertRefused(Errno.EIO, () -> viommu.allocateNested(device, entry));
    }
    viommu.allocateNested(device, good).close();
  }

  @Test
  void refusedCommandTellsHowManyBeforeItAreCarriedOut() throws IOException {
    MemorySegment former = guest.fill(1);
    MemorySegment later = guest.fill(2);
    map(INPUT, 1);
    map(INPUT + PAGE, 1);
    assertReads(INPUT, former);
    assertReads(INPUT + PAGE, former);
    tables.remap(INPUT, SmmuGuest.pageAddress(2), PAGE);
    tables.remap(INPUT + PAGE, SmmuGuest.pageAddress(2), PAGE);
    CommandBatch commands = new CommandBatch(3).tlbiNhVa(SmmuGuest.ASID, INPUT);
    commands.batch().addArmSmmuv3(0x04, 0); // CFGI_STE_RANGE, which is the host's alone
    commands.tlbiNhVa(SmmuGuest.ASID, INPUT + PAGE);

    assertThatThrownBy(() -> viommu.invalidate(commands.batch()))
        .isInstanceOfSatisfying(
            InvalidationException.class,
            e -> {
              assertThat(e.errno()).contains(Errno.EIO);
              assertThat(e.handled()).isEqualTo(1);
            })
        .hasMessageContaining("entry 1 of 3 is refused");

    assertReads(INPUT, later);
    assertReads(INPUT + PAGE, former);
  }

  @Test
  void commandForAStrangersStreamIsRefused() {
    InvalidationBatch batch =
        new CommandBatch(3).tlbiNhAll().cfgiCd(STREAM, 0).cfgiCdAll(STREAM + 1).batch();

    assertThatThrownBy(() -> viommu.invalidate(batch))
        .isInstanceOfSatisfying(
            InvalidationException.class,
            e -> {
              assertThat(e.errno()).contains(Errno.EIO);
              assertThat(e.handled()).isEqualTo(2);
            });
  }

  @Test
  void deviceThatTheGuestHasNoNumberForIsNotAttached() throws IOException {
    CdevDevice second = device(Machine.EDU_2, guest.iommufd());
    HwptNested nested = guest.nested(second, 0);
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);

    assertRefused(Errno.ENOENT, () -> second.attach(nested));
    assertThat(second.attached()).isEmpty();
    assertRefused(Errno.EEXIST, () -> viommu.allocateVdevice(second, STREAM));
    assertRefused(Errno.EEXIST, () -> viommu.allocateVdevice(device, STREAM + 1));

    viommu.allocateVdevice(second, STREAM + 1);
    second.attach(nested);
    try (Edu other = Edu.start(second)) {
      assertReads(other, INPUT, sent);
    }
  }

  @Test
  void onlyAParentOfNestingHasAVirtualIommu() throws IOException {
    HwptPaging ordinary = guest.ioas().allocateHwpt(device);

    assertThatThrownBy(() -> ordinary.allocateViommu(device, Viommu.ARM_SMMUV3))
        .hasMessageContaining("made without NEST_PARENT");
  }

  @Test
  void guestsTablesAreNotNestedWithoutAVirtualIommu() {
    assertThatThrownBy(
            () ->
                viommu
                    .parent()
                    .allocateNested(device, ArmSmmuv3StreamTableEntry.translate(SmmuGuest.MEMORY)))
        .isInstanceOf(UnsupportedByKernelException.class);
  }

  @Test
  void nothingOfAGuestInUseIsClosed() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);
    HwptNested nested = (HwptNested) device.attached().orElseThrow();

    for (AutoCloseable inUse : List.of(nested, viommu, viommu.parent(), guest.ioas())) {
      assertThatThrownBy(inUse::close).isInstanceOf(DeviceBusyException.class);
    }

    assertReads(INPUT, sent);
    device.detach();
    guest.ioas().close();
    assertThatThrownBy(() -> device.attach(nested)).isInstanceOf(IllegalStateException.class);
  }
}
