package io.github.vfio4j.vmm.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.container.Containers;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.vmm.kvm.FakeVms;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.memory.GuestMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrittenPagesTest {
  private static final long PAGE = 4096;
  private static final int PAGES = 100;
  private static final long HIGH = 1L << 32;
  private static final int ALL = 2 * PAGES;
  private static final int NEVER = Integer.MAX_VALUE;

  @TempDir Path root;
  private FakeMachine host;
  private final List<Container> containers = new ArrayList<>();
  private Vm vm;
  private GuestMemory memory;
  private WrittenPages written;

  @BeforeEach
  void makeMachine() throws VfioException {
    host = new FakeMachine(root);
    vm = FakeVms.open(host);
    memory = new GuestMemory();
    memory.add(vm.slots(), HIGH, PAGES * PAGE);
    memory.add(vm.slots(), 0, PAGES * PAGE);
    written = new WrittenPages(memory);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    written.stop();
    assertThat(host.slots.logged()).isEmpty();
    assertThat(host.migration.log.isStarted()).isFalse();
    vm.close();
    memory.close();
    assertThat(host.kernel.leftOpen()).isEmpty();
  }

  private VfioDevice open(Backend backend) throws VfioException {
    VfioDevice device;
    if (backend == Backend.CONTAINER) {
      Container made = Containers.open(host.host);
      containers.add(made);
      device = made.openDevice(host.device());
    } else {
      device = host.open(backend);
    }
    memory.share(device.addressSpace());
    return device;
  }

  private void close(VfioDevice device) throws VfioException {
    IoAddressSpace space = device.addressSpace();
    memory.forget(space);
    device.close();
    written.gone(device);
    for (Container each : containers) {
      each.close();
    }
    containers.clear();
  }

  private List<Long> read() throws VfioException {
    List<Long> pages = new ArrayList<>();
    for (DirtyBitmap each : written.readAndClear()) {
      long end = each.iova() + each.length();
      for (long at = each.nextDirty(each.iova()); at != -1; at = each.nextDirty(at + PAGE)) {
        pages.add(at / PAGE);
        if (at + PAGE == end) {
          break;
        }
      }
    }
    return pages;
  }

  @Test
  void tellsWhatProcessorsAndThisProcessHaveWritten() throws VfioException {
    host.slots.write(7 * PAGE);
    memory.write(8 * PAGE, new byte[1]);
    written.start(List.of());
    written.start(List.of());
    host.slots.write(99 * PAGE + 5);
    host.slots.write(HIGH);
    memory.write(64 * PAGE - 1, new byte[2]);

    List<DirtyBitmap> ranges = written.readAndClear();
    assertThat(ranges).extracting(DirtyBitmap::iova).containsExactly(0L, HIGH);
    assertThat(ranges).extracting(DirtyBitmap::length).containsOnly(PAGES * PAGE);
    assertThat(ranges).extracting(DirtyBitmap::count).containsExactly(3L, 1L);
    assertThat(ranges.getFirst().isDirty(99 * PAGE)).isTrue();
    assertThat(ranges.getFirst().isDirty(63 * PAGE)).isTrue();
    assertThat(ranges.getFirst().isDirty(64 * PAGE)).isTrue();

    assertThat(read()).isEmpty();
    host.slots.write(7 * PAGE);
    assertThat(read()).containsExactly(7L);
  }

  @Test
  void tellsNothingThatIsNotNoted() throws VfioException {
    assertThatIllegalStateException()
        .isThrownBy(written::readAndClear)
        .withMessageContaining("switch dirty tracking on first");
    written.start(List.of());
    written.stop();
    written.stop();
    assertThatIllegalStateException().isThrownBy(written::readAndClear);
    assertThat(host.slots.logged()).isEmpty();
  }

  @Test
  void memoryThatComesCountsAsWrittenAndThenIsNotedToo() throws VfioException {
    written.start(List.of());
    memory.add(vm.slots(), 2 * HIGH, PAGE);
    long first = 2 * HIGH / PAGE;
    assertThat(read()).containsExactly(first);
    assertThat(read()).isEmpty();
    host.slots.write(2 * HIGH);
    assertThat(read()).containsExactly(first);

    memory.remove(2 * HIGH);
    assertThat(written.readAndClear()).hasSize(2);
    assertThat(host.slots.logged()).hasSize(2);
  }

  @Test
  void deviceTellsByItsOwnLog() throws VfioException {
    host.migration.with(1);
    VfioDevice device = open(Backend.IOMMUFD);
    written.start(List.of(device));
    assertThat(host.migration.log.ranges()).containsExactly("0+64000", "100000000+64000");
    host.migration.log.write(5 * PAGE);
    host.slots.write(6 * PAGE);
    assertThat(read()).containsExactly(5L, 6L);
    assertThat(read()).isEmpty();

    memory.add(vm.slots(), 2 * HIGH, PAGE);
    assertThat(read()).as("another log is begun").hasSize(ALL + 1);
    host.migration.log.write(2 * HIGH);
    assertThat(read()).containsExactly(2 * HIGH / PAGE);

    close(device);
    assertThat(read()).hasSize(ALL + 1);
    assertThat(read()).isEmpty();
  }

  @Test
  void logThatGoesWrongIsBegunAnew() throws VfioException {
    host.migration.with(1);
    VfioDevice device = open(Backend.IOMMUFD);
    written.start(List.of(device));
    host.migration.log.fail(Errno.EIO);
    assertThatThrownBy(written::readAndClear).isInstanceOf(VfioException.class);
    host.migration.log.fail(null);
    assertThat(read()).hasSize(ALL);
    host.migration.log.write(5 * PAGE);
    assertThat(read()).containsExactly(5L);
    close(device);
  }

  @Test
  void containerTellsWhatIsPinnedAsLongAsADeviceIsInIt() throws VfioException {
    VfioDevice device = open(Backend.CONTAINER);
    written.start(List.of(device));
    host.slots.write(PAGE);
    assertThat(read()).hasSize(PAGES + 1).contains(0L, 1L, 2L).doesNotContain(3L);
    written.stop();
    written.start(List.of());
    written.came(device);
    assertThat(read()).hasSize(PAGES);
    close(device);
    assertThat(read()).hasSize(ALL);
    assertThat(read()).isEmpty();
  }

  @Test
  void allCountsAsWrittenEachTimeWhereNobodyKnows() throws VfioException {
    for (Backend backend : List.of(Backend.CONTAINER, Backend.IOMMUFD)) {
      host.kernel.fail(Ioctl.VFIO_IOMMU_DIRTY_PAGES, Errno.ENOTTY);
      VfioDevice device = open(backend);
      written.start(List.of(device));
      assertThat(read()).hasSize(ALL);
      assertThat(read()).hasSize(ALL);
      written.stop();
      host.kernel.failNoMore();
      close(device);
    }
  }

  @Test
  void failureOfAnyStepLeavesNothingNoted() throws VfioException {
    host.migration.with(1);
    VfioDevice device = open(Backend.IOMMUFD);
    int call = 1;
    for (boolean failed = true; failed; call++) {
      host.kernel.failCall(call, Errno.EIO);
      try {
        written.start(List.of(device));
      } catch (VfioException e) {
        assertThat(host.slots.logged()).isEmpty();
        assertThat(host.migration.log.isStarted()).isFalse();
        assertThatIllegalStateException().isThrownBy(written::readAndClear);
      }
      failed = host.kernel.hasFailed();
    }
    assertThat(call).isGreaterThan(4);
    host.kernel.failCall(NEVER, Errno.EIO);
    assertThat(host.slots.logged()).hasSize(2);
    close(device);
  }

  @Test
  void nothingIsForgottenWhereReadingFails() throws VfioException {
    written.start(List.of());
    host.slots.write(HIGH);
    host.kernel.failCall(2, Errno.EFAULT);
    assertThatThrownBy(written::readAndClear).hasMessageContaining("KVM_GET_DIRTY_LOG");
    assertThat(read()).hasSize(ALL);
    assertThat(read()).isEmpty();
  }

  @Test
  void stoppingCanBeTriedAgain() throws VfioException {
    VfioDevice device = open(Backend.CONTAINER);
    written.start(List.of(device));
    host.kernel.fail(Ioctl.VFIO_IOMMU_DIRTY_PAGES, Errno.EIO);
    assertThatThrownBy(written::stop).hasMessageContaining("VFIO_IOMMU_DIRTY_PAGES");
    assertThat(host.slots.logged()).isEmpty();
    assertThatIllegalStateException().isThrownBy(written::readAndClear);
    host.kernel.failNoMore();
    written.start(List.of(device));
    assertThat(read()).hasSize(PAGES);
    close(device);
  }
}
