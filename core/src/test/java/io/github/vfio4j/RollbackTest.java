package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.event.Dispatchers;
import io.github.vfio4j.event.EventDispatcher;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.InvalidationBatch;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.iommufd.MemoryFiles;
import io.github.vfio4j.iommufd.VeventQueue;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.outcome.Step;
import io.github.vfio4j.pci.IoEventFd;
import io.github.vfio4j.smmuv3.ArmSmmuv3StreamTableEntry;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever call fails, nothing stays open, mapped or registered. */
class RollbackTest {
  @TempDir Path root;

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void noCallThatFailsLeavesAnythingBehind(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    int failures = 0;
    for (int call = 1; ; call++) {
      machine.kernel.failCall(call, Errno.EIO);
      try {
        useEverything(machine, backend);
        assertThat(machine.kernel.hasFailed()).as("call %d was refused unnoticed", call).isFalse();
      } catch (VfioException e) {
        failures++;
        assertThat(machine.kernel.hasFailed()).as("it works when nothing fails: %s", e).isTrue();
        assertThat(e.operation()).isNotBlank();
        assertThat(e.object()).isNotBlank();
      }
      assertThat(machine.kernel.leftOpen()).as("after call %d failed", call).isEmpty();
      if (!machine.kernel.hasFailed()) {
        break;
      }
    }
    assertThat(failures).isGreaterThan(10);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void noCallThatThrowsLeavesAnythingBehind(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    for (int call = 1; ; call++) {
      Error thrown = new LinkageError("not linked, for a test");
      machine.kernel.throwFromCall(call, thrown);
      if (backend == Backend.IOMMUFD) {
        assertNothingElseIsThrown(thrown, () -> setUpGuest(machine));
      } else {
        assertNothingElseIsThrown(thrown, () -> useEverything(machine, backend));
      }
      assertThat(machine.kernel.leftOpen()).as("after call %d threw", call).isEmpty();
      if (!machine.kernel.hasFailed()) {
        break;
      }
    }
  }

  private static void assertNothingElseIsThrown(Error thrown, Step step) throws VfioException {
    try {
      step.run();
    } catch (LinkageError e) {
      assertThat(e).isSameAs(thrown);
    }
  }

  private static void useEverything(FakeMachine machine, Backend backend) throws VfioException {
    try (VfioDevice device = machine.open(backend);
        DmaBuffer buffer = device.addressSpace().allocate(4096);
        DmaMapping mapping = device.addressSpace().map(buffer.segment(), DmaAccess.READ);
        MappedRegion registers = device.region(0).map();
        Interrupt first = device.pci().msix().enable(0);
        Interrupt second = device.pci().msix().enable(3);
        IoEventFd doorbell = IoEventFd.ofInt(device, 0, 8, 1);
        EventDispatcher dispatcher = Dispatchers.start(machine.kernel)) {
      dispatcher.register(second, (interrupt, count) -> {});
      registers.setInt(0, first.vector());
      doorbell.signal();
      assertThat(mapping.size()).isEqualTo(4096);
      device.pci().config().setBusMaster(true);
    }
  }

  @Test
  void noCallThatFailsLeavesAnythingOfAGuestBehind() throws Exception {
    FakeMachine machine = new FakeMachine(root);
    int failures = 0;
    for (int call = 1; ; call++) {
      machine.kernel.failCall(call, Errno.EIO);
      try {
        setUpGuest(machine);
        assertThat(machine.kernel.hasFailed()).as("call %d was refused unnoticed", call).isFalse();
      } catch (VfioException e) {
        failures++;
        assertThat(e.object()).isNotBlank();
      }
      assertThat(machine.kernel.leftOpen()).as("after call %d failed", call).isEmpty();
      if (!machine.kernel.hasFailed()) {
        break;
      }
    }
    assertThat(failures).isGreaterThan(20);
  }

  /** Every object that iommufd has, each made from the one before. */
  private static void setUpGuest(FakeMachine machine) throws VfioException {
    try (Iommufd iommufd = Iommufd.open(machine.host);
        MemoryFile memory = MemoryFiles.create(machine.kernel, "guest", 8192)) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.mapFile(memory, 0, 0x10000, 4096, DmaAccess.READ_WRITE);
      DmaMapping part = ioas.mapFile(memory, 4096, 4096, DmaAccess.READ);
      ioas.copy(ioas, 0x10000, 0x20000, 4096, DmaAccess.READ);
      CdevDevice device = iommufd.bind(machine.device());
      FaultQueue faults = iommufd.allocateFaultQueue();
      HwptPaging parent = ioas.allocateHwpt(device, faults, HwptFlag.NEST_PARENT);
      Viommu viommu = parent.allocateViommu(device, Viommu.ARM_SMMUV3);
      VeventQueue events = viommu.allocateVeventQueue(VeventQueue.ARM_SMMUV3, 4);
      viommu.allocateVdevice(device, 5);
      HwptNested nested =
          viommu.allocateNested(device, new ArmSmmuv3StreamTableEntry(1, 0), faults);
      viommu.allocateHwQueue(HwQueue.TEGRA241_CMDQV, 0, 0x10000, 4096);
      viommu.map(0, 4096).close();
      device.attach(nested);
      viommu.invalidate(InvalidationBatch.armSmmuv3(1).addArmSmmuv3(0, 0));
      try (EventDispatcher dispatcher = Dispatchers.start(machine.kernel)) {
        dispatcher.register(events, (queue, happened) -> {});
        dispatcher.register(faults, (queue, faulted) -> {});
      }
      part.close();
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void aClosingThatReportsAnErrorStillClosesEverything(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    VfioDevice device = machine.open(backend);
    device.addressSpace().allocate(4096);
    device.pci().msi().enable(0);
    device.region(0).map();
    machine.kernel.failClosing(Errno.EIO);

    assertThatThrownBy(device::close)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("close on 0000:00:05.0: EIO");

    assertThat(machine.kernel.leftOpen()).isEmpty();
    device.close();
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MODEL")
  void memoryIsNotFreedWhileTheDeviceMayStillReachIt(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      DmaBuffer buffer = device.addressSpace().allocate(4096);
      machine.kernel.fail(FakeMachine.unmapOperation(backend), Errno.EIO);

      assertThatThrownBy(buffer::close).isInstanceOf(VfioException.class);
      buffer.segment().set(JAVA_INT, 0, 42);

      machine.kernel.failNoMore();
      buffer.close();
      assertThat(buffer.segment().scope().isAlive()).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }
}
