package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever call fails, nothing stays open, mapped or registered. */
class RollbackTest {
  @TempDir Path root;

  @ParameterizedTest
  @EnumSource
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

  private static void useEverything(FakeMachine machine, Backend backend) throws VfioException {
    try (VfioDevice device = machine.open(backend);
        DmaBuffer buffer = device.addressSpace().allocate(4096);
        DmaMapping mapping = device.addressSpace().map(buffer.segment(), DmaAccess.READ);
        MappedRegion registers = device.region(0).map();
        Interrupt first = device.interrupts(Interrupts.MSIX).enable(0);
        Interrupt second = device.interrupts(Interrupts.MSIX).enable(3);
        EventDispatcher dispatcher = EventDispatcher.start(machine.kernel)) {
      dispatcher.register(second, (interrupt, count) -> {});
      registers.setInt(0, first.vector());
      assertThat(mapping.size()).isEqualTo(4096);
      device.config().setBusMaster(true);
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
        MemoryFile memory = MemoryFile.create(machine.kernel, "guest", 8192)) {
      Ioas ioas = iommufd.allocateIoas();
      ioas.mapFile(memory, 0, 4096, 0x10000, DmaAccess.READ_WRITE);
      DmaMapping part = ioas.mapFile(memory, 4096, 4096, DmaAccess.READ);
      ioas.copy(ioas, 0x10000, 4096, 0x20000, DmaAccess.READ);
      CdevDevice device = CdevDevice.bind(machine.host, machine.device(), iommufd);
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
      try (EventDispatcher dispatcher = EventDispatcher.start(machine.kernel)) {
        dispatcher.register(events, (queue, happened) -> {});
        dispatcher.register(faults, (queue, faulted) -> {});
      }
      part.close();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aClosingThatReportsAnErrorStillClosesEverything(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    VfioDevice device = machine.open(backend);
    device.addressSpace().allocate(4096);
    device.interrupts(Interrupts.MSI).enable(0);
    device.region(0).map();
    machine.kernel.failClosing(Errno.EIO);

    assertThatThrownBy(device::close)
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("close on 0000:00:05.0: EIO");

    assertThat(machine.kernel.leftOpen()).isEmpty();
    device.close();
  }

  @ParameterizedTest
  @EnumSource
  void memoryIsNotFreedWhileTheDeviceMayStillReachIt(Backend backend) throws Exception {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(backend)) {
      DmaBuffer buffer = device.addressSpace().allocate(4096);
      machine.kernel.fail(device.addressSpace().unmapOperation(), Errno.EIO);

      assertThatThrownBy(buffer::close).isInstanceOf(VfioException.class);
      buffer.segment().set(JAVA_INT, 0, 42);

      machine.kernel.fail(Ioctl.VFIO_DEVICE_RESET, Errno.EIO);
      buffer.close();
      assertThat(buffer.segment().scope().isAlive()).isFalse();
    }
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }
}
