package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.edu.EduModel;
import io.github.vfio4j.vmm.DeviceSetup;
import io.github.vfio4j.vmm.MachineSetup;
import io.github.vfio4j.vmm.VirtualMachine;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Which pages of a running guest's memory were written. */
@OnMachine(
    value = {"intel/scalable", "amd"},
    since = "7.0")
@Bound(Device.EDU)
class GuestDirtyTest extends GuestTests {
  private static final Pattern PAGES =
      Pattern.compile("guest: pages (\\p{XDigit}+) (\\p{XDigit}+) (\\p{XDigit}+)\\s");
  private static final long MEMORY = 128L << 20;
  private static final long ALL = MEMORY / 4096;

  /** More than a guest writes that does nothing. */
  private static final long FEW = ALL / 32;

  private static final Duration SOON = Duration.ofSeconds(60);

  /** Where the pages are of which guest.c's order "dirty" tells. */
  private record Pages(long byGuest, long byEdu, long unwritten) {}

  private Pages pages() throws InterruptedException {
    await("guest: pages");
    while (!PAGES.matcher(said()).find()) {
      Thread.sleep(100);
    }
    MatchResult found = PAGES.matcher(said()).results().findFirst().orElseThrow();
    return new Pages(
        Long.parseLong(found.group(1), 16),
        Long.parseLong(found.group(2), 16),
        Long.parseLong(found.group(3), 16));
  }

  private static boolean isDirty(List<DirtyBitmap> ranges, long address) {
    return ranges.stream()
        .filter(each -> address >= each.iova() && address - each.iova() < each.length())
        .findFirst()
        .orElseThrow()
        .isDirty(address);
  }

  private static long count(List<DirtyBitmap> ranges) {
    return ranges.stream().mapToLong(DirtyBitmap::count).sum();
  }

  /**
   * Returns how many pages the guest writes that does nothing, having forgotten what was before.
   */
  private static long countOfIdle(VirtualMachine machine) throws VfioException {
    machine.readAndClearDirty();
    return count(machine.readAndClearDirty());
  }

  private void writeFirst(VirtualMachine machine) throws Exception {
    type(machine, 1);
    await("guest: has written the first");
  }

  private void haveEduWriteSecond(VirtualMachine machine) throws Exception {
    type(machine, 2);
    await("guest: edu has written the second");
  }

  @Test
  @OnMachine("intel/scalable")
  void pageIsToldThatTheGuestWritesAndNoOther() throws Exception {
    VirtualMachine closed;
    try (VirtualMachine machine = VirtualMachine.boot(ordered("dirty").processors(2))) {
      closed = machine;
      Pages pages = pages();
      assertThatIllegalStateException()
          .isThrownBy(machine::readAndClearDirty)
          .withMessageContaining("switch dirty tracking on first");
      machine.setDirtyTracking(true);
      machine.setDirtyTracking(true);
      assertThat(countOfIdle(machine)).isLessThan(FEW);

      writeFirst(machine);
      List<DirtyBitmap> written = machine.readAndClearDirty();
      assertThat(written).extracting(DirtyBitmap::length).containsExactly(MEMORY);
      assertThat(isDirty(written, pages.byGuest())).isTrue();
      assertThat(isDirty(written, pages.byEdu())).isFalse();
      assertThat(isDirty(written, pages.unwritten())).isFalse();
      assertThat(count(written)).isLessThan(FEW);
      assertThat(isDirty(machine.readAndClearDirty(), pages.byGuest())).isFalse();

      machine.setDirtyTracking(false);
      machine.setDirtyTracking(false);
      assertThatIllegalStateException().isThrownBy(machine::readAndClearDirty);
      machine.setDirtyTracking(true);
      assertThat(isDirty(machine.readAndClearDirty(), pages.byGuest())).isFalse();
      machine.stop();
      assertThat(machine.readAndClearDirty()).as("the machine is not closed yet").hasSize(1);
    }
    assertThatIllegalStateException().isThrownBy(closed::readAndClearDirty);
    assertThatThrownBy(() -> closed.setDirtyTracking(true))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("the machine is closed");
    closed.setDirtyTracking(false);
  }

  @Test
  @OnMachine("intel/scalable")
  void memoryThatComesIsToldToo() throws Exception {
    try (VirtualMachine machine = VirtualMachine.boot(ordered("memory,memory,echo"))) {
      await("guest: waits for MiB");
      machine.setDirtyTracking(true);
      long address = machine.addMemory(MEMORY);
      List<DirtyBitmap> first = machine.readAndClearDirty();
      assertThat(first).extracting(DirtyBitmap::iova).endsWith(address);
      assertThat(first.getLast().count()).isEqualTo(ALL);
      type(machine, 256);
      await("guest: has 256 MiB");
      machine.readAndClearDirty();
      assertThat(machine.readAndClearDirty().getLast().count()).isLessThan(FEW);

      type(machine, 128);
      machine.removeMemory(address, SOON);
      assertThat(machine.readAndClearDirty()).hasSize(first.size() - 1);
    }
  }

  @EachBackend
  @OnMachine("intel/scalable")
  void allCountsEachTimeOfADeviceThatNobodyKnowsMoreOf(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);
    allCountsEachTime(ordered("dirty").device(edu));
  }

  @Test
  @OnMachine("intel/scalable")
  void allCountsEachTimeOfAModel() throws Exception {
    try (ModelHost host = ModelHost.of(new EduModel())) {
      allCountsEachTime(ordered("dirty").device(DeviceSetup.opened("edu", host::open)));
    }
  }

  private void allCountsEachTime(MachineSetup setup) throws Exception {
    try (VirtualMachine machine = VirtualMachine.boot(setup)) {
      Pages pages = pages();
      machine.setDirtyTracking(true);
      assertThat(count(machine.readAndClearDirty())).isEqualTo(ALL);
      writeFirst(machine);
      haveEduWriteSecond(machine);
      List<DirtyBitmap> written = machine.readAndClearDirty();
      assertThat(isDirty(written, pages.byEdu())).isTrue();
      assertThat(count(written)).isEqualTo(ALL);
      assertThat(count(machine.readAndClearDirty())).isEqualTo(ALL);
    }
  }

  @EachBackend
  @OnMachine("intel/scalable")
  void devicesComeAndGoMeanwhile(Backend backend) throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), backend);
    try (VirtualMachine machine = VirtualMachine.boot(ordered("functions,functions,echo"))) {
      await("guest: waits for functions");
      machine.setDirtyTracking(true);
      assertThat(countOfIdle(machine)).isLessThan(FEW);
      machine.plug(edu);
      type(machine, 2);
      await("guest: has 2 functions");
      assertThat(countOfIdle(machine)).isEqualTo(ALL);

      type(machine, 1);
      machine.unplug(edu.name(), SOON);
      await("guest: has 1 functions");
      assertThat(count(machine.readAndClearDirty())).isEqualTo(ALL);
      assertThat(countOfIdle(machine)).isLessThan(FEW);
    }
  }

  /** QEMU's AMD IOMMU sets no dirty bits: what edu writes is missed there, and on no real one. */
  @Test
  @OnMachine("amd")
  void pageTableWithDirtyBitsTellsNoMoreThanWasWritten() throws Exception {
    DeviceSetup edu = DeviceSetup.of(device(Machine.EDU), Backend.IOMMUFD);
    try (VirtualMachine machine = VirtualMachine.boot(ordered("dirty,echo").device(edu))) {
      Pages pages = pages();
      machine.setDirtyTracking(true);
      assertThat(countOfIdle(machine)).isLessThan(FEW);
      writeFirst(machine);
      haveEduWriteSecond(machine);
      List<DirtyBitmap> written = machine.readAndClearDirty();
      assertThat(isDirty(written, pages.byGuest())).isTrue();
      assertThat(isDirty(written, pages.unwritten())).isFalse();

      type(machine, 3);
      await("guest: says");
      machine.unplug(edu.name(), SOON);
      assertThat(count(machine.readAndClearDirty())).isEqualTo(ALL);
    }
  }
}
