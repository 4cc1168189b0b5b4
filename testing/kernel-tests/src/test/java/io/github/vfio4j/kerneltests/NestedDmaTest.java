package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.PageTable;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import io.github.vfio4j.smmuv3.CommandBatch;
import io.github.vfio4j.smmuv3.Stage1Tables;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A device in a guest of an SMMUv3 goes where the guest's page tables and the host's send it. */
@OnMachine(value = "smmuv3", since = "6.15")
class NestedDmaTest extends NestedTests {
  private static final int HALF = PAGE / 2;
  private static final int REPLACEMENTS = 1000;
  private static final int AT_LEAST = 5;

  @Test
  void bothStagesTranslate() throws IOException {
    MemorySegment front = guest.fill(3);
    MemorySegment back = guest.fill(1);
    MemorySegment between = guest.fill(2);
    guest.fill(4);
    guest.fill(6);
    map(INPUT, 3);
    map(INPUT + PAGE, 1); // next to it for the device, and before it for the guest
    map(INPUT + 2 * PAGE, 6);
    map(INPUT + 3 * PAGE, 4);

    EduDma.move(edu, INPUT + HALF, INPUT + 2 * PAGE + HALF);

    MemorySegment end = guest.page(6).asSlice(HALF);
    assertThat(end.mismatch(front.asSlice(HALF))).isEqualTo(-1);
    assertThat(guest.page(4).asSlice(0, HALF).mismatch(back.asSlice(0, HALF))).isEqualTo(-1);
    assertThat(guest.page(2).mismatch(between)).isEqualTo(-1);
    assertThat(guest.page(3).mismatch(front)).isEqualTo(-1);
    assertThat(guest.page(1).mismatch(back)).isEqualTo(-1);
  }

  @Test
  void blocksTranslateToo() throws IOException {
    long block = 5L * Stage1Tables.BLOCK_SIZE;
    MemorySegment sent = guest.fill(3);
    tables.map(block, SmmuGuest.MEMORY, Stage1Tables.BLOCK_SIZE);

    assertReads(block + SmmuGuest.pageAddress(3) - SmmuGuest.MEMORY, sent);
  }

  /** The walk starts at another level for each of these, or in a table of another size. */
  @ParameterizedTest
  @ValueSource(ints = {28, 30, 31, 40, 48})
  void tablesOfEverySizeTranslate(int inputBits) throws IOException {
    MemorySegment sent = guest.fill(1);
    Stage1Tables others = guest.otherTables(inputBits);
    long last = (1L << inputBits) - PAGE;
    others.map(last, SmmuGuest.pageAddress(1), PAGE);
    others.map(0, SmmuGuest.pageAddress(2), PAGE);
    guest.describe(1, others, 0xff);
    device.attach(guest.nested(device, 1));

    EduDma.move(edu, last, 0);

    assertThat(guest.page(2).mismatch(sent)).isEqualTo(-1);
  }

  @Test
  void hostTakesMemoryAwayFromUnderTheGuest() throws IOException {
    MemorySegment kept = guest.fill(1);
    map(INPUT, 1);
    assertReads(INPUT, kept);
    guest.fill(SmmuGuest.LAST);
    map(INPUT + PAGE, SmmuGuest.LAST);
    MemorySegment before = guest.fill(SmmuGuest.LAST);

    guest.loseLastPage();
    EduDma.fromDevice(edu, INPUT + PAGE);

    assertThat(guest.page(SmmuGuest.LAST).mismatch(before)).isEqualTo(-1);
    assertReads(INPUT, kept);
  }

  static Stream<Named<UnaryOperator<CommandBatch>>> invalidations() {
    int asid = SmmuGuest.ASID;
    return Stream.of(
        Named.of("TLBI_NH_VA", batch -> batch.tlbiNhVa(asid, INPUT)),
        Named.of("TLBI_NH_VA, leaf", batch -> batch.tlbiNhVaLeaf(asid, INPUT)),
        Named.of("TLBI_NH_VAA", batch -> batch.tlbiNhVaa(INPUT)),
        Named.of("TLBI_NH_ASID", batch -> batch.tlbiNhAsid(asid)),
        Named.of("TLBI_NH_ALL", CommandBatch::tlbiNhAll),
        Named.of("TLBI_NSNH_ALL", CommandBatch::tlbiNsnhAll));
  }

  /** QEMU's SMMU keeps a translation for as long as it may, so that it can be seen to be told. */
  @ParameterizedTest
  @MethodSource("invalidations")
  void changedMappingCountsOnceItIsInvalidated(UnaryOperator<CommandBatch> invalidation)
      throws IOException {
    MemorySegment former = guest.fill(1);
    MemorySegment later = guest.fill(2);
    map(INPUT, 1);
    assertReads(INPUT, former);

    tables.remap(INPUT, SmmuGuest.pageAddress(2), PAGE);
    assertReads(INPUT, former);
    viommu.invalidate(
        new CommandBatch(2)
            .tlbiNhVa(SmmuGuest.ASID, INPUT + PAGE)
            .tlbiNhAsid(SmmuGuest.ASID + 1)
            .batch());
    assertReads(INPUT, former);

    viommu.invalidate(invalidation.apply(new CommandBatch(1)).batch());
    assertReads(INPUT, later);
  }

  static Stream<Named<UnaryOperator<CommandBatch>>> descriptorInvalidations() {
    return Stream.of(
        Named.of("CFGI_CD", batch -> batch.cfgiCd(STREAM, 0)),
        Named.of("CFGI_CD_ALL", batch -> batch.cfgiCdAll(STREAM)));
  }

  @ParameterizedTest
  @MethodSource("descriptorInvalidations")
  void otherTablesCountOnceTheDescriptorIsInvalidated(UnaryOperator<CommandBatch> invalidation)
      throws IOException {
    MemorySegment former = guest.fill(1);
    MemorySegment later = guest.fill(2);
    map(INPUT, 1);
    Stage1Tables others = guest.otherTables();
    others.map(INPUT, SmmuGuest.pageAddress(2), PAGE);
    assertReads(INPUT, former);

    guest.describe(0, others, SmmuGuest.ASID + 1);
    assertReads(INPUT, former);

    viommu.invalidate(invalidation.apply(new CommandBatch(1)).batch());
    assertReads(INPUT, later);
  }

  @Test
  void streamsBypassAbortAndTranslateByTurns() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);
    HwptNested translating = (HwptNested) device.attached().orElseThrow();
    HwptNested bypass = viommu.allocateNested(device, ArmSmmuv3StreamTableEntry.bypass());
    HwptNested abort = viommu.allocateNested(device, ArmSmmuv3StreamTableEntry.abort());
    assertReads(INPUT, sent);

    device.attach(bypass);
    EduDma.move(edu, SmmuGuest.pageAddress(1), SmmuGuest.pageAddress(2));
    assertThat(guest.page(2).mismatch(sent)).isEqualTo(-1);

    device.attach(abort);
    MemorySegment untouched = guest.fill(3);
    EduDma.attemptFromDevice(edu, SmmuGuest.pageAddress(3));
    assertThat(guest.page(3).mismatch(untouched)).isEqualTo(-1);

    device.attach(translating);
    assertReads(INPUT, sent);
  }

  @Test
  void devicesOfOneGuestHaveTablesOfTheirOwn() throws IOException {
    CdevDevice second = device(Machine.EDU_2, guest.iommufd());
    viommu.allocateVdevice(second, STREAM + 1);
    Stage1Tables others = guest.otherTables();
    guest.describe(1, others, SmmuGuest.ASID + 1);
    second.attach(guest.nested(second, 1));
    MemorySegment one = guest.fill(1);
    MemorySegment two = guest.fill(2);
    MemorySegment three = guest.fill(3);
    map(INPUT, 1);
    others.map(INPUT, SmmuGuest.pageAddress(2), PAGE);
    try (Edu other = Edu.start(second)) {
      assertReads(edu, INPUT, one);
      assertReads(other, INPUT, two);

      tables.remap(INPUT, SmmuGuest.pageAddress(3), PAGE);
      others.remap(INPUT, SmmuGuest.pageAddress(3), PAGE);
      viommu.invalidate(new CommandBatch(1).tlbiNhAsid(SmmuGuest.ASID).batch());

      assertReads(edu, INPUT, three);
      assertReads(other, INPUT, two);
    }
  }

  /** The driver goes from the one to the other in one step: no access is turned away. */
  @Test
  void tablesOfAGuestReplaceEachOtherUnderDma() throws Exception {
    Stage1Tables others = guest.otherTables();
    guest.describe(1, others, SmmuGuest.ASID + 1);
    map(INPUT, 1);
    others.map(INPUT, SmmuGuest.pageAddress(1), PAGE);
    PageTable first = device.attached().orElseThrow();
    PageTable second = guest.nested(device, 1);
    try (var threads = Executors.newSingleThreadExecutor()) {
      Future<?> replacing = threads.submit(() -> replace(first, second));
      int sent = 0;
      while (!replacing.isDone() || sent < AT_LEAST) {
        EduDma.fill(guest.page(1), sent++);
        assertReads(INPUT, guest.page(1));
      }
      replacing.get();
    }
  }

  private Void replace(PageTable first, PageTable second) throws IOException {
    for (int i = 0; i < REPLACEMENTS / 2; i++) {
      device.attach(second);
      device.attach(first);
    }
    return null;
  }

  @Test
  void deviceThatWasClosedComesBackIntoTheGuest() throws IOException {
    MemorySegment sent = guest.fill(1);
    map(INPUT, 1);
    assertReads(INPUT, sent);
    PageTable nested = device.attached().orElseThrow();
    edu.close();
    device.close();

    CdevDevice again = edu(guest.iommufd());
    viommu.allocateVdevice(again, STREAM);
    again.attach(nested);

    edu = Edu.start(again);
    assertReads(INPUT, sent);
  }
}
