package io.github.vfio4j.feature;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.fake.FakeMachine;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device with one feature. */
class DeviceFeatureTest {
  @Test
  void deviceHasThoseThatItsKernelDoesNotRefuse(@TempDir Path root) throws VfioException {
    try (VfioDevice device = new FakeMachine(root).open(Backend.IOMMUFD)) {
      assertThat(DeviceFeature.of(device)).containsExactly(DeviceFeature.DMA_BUF);
    }
  }

  @Test
  void deviceWithoutConfigurationSpaceIsToldWhetherItMayDoDma(@TempDir Path root)
      throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> BusMaster.set(device, true))
          .withMessageContaining("Linux 6.7");

      machine.pci.hasBusMaster();
      BusMaster.set(device, true);
      assertThat(machine.pci.busMaster()).isEqualTo(1);
      BusMaster.set(device, false);
      assertThat(machine.pci.busMaster()).isZero();
    }
  }

  @Test
  void refusalNamesTheFeatureAndTheFirstKernelThatHadIt(@TempDir Path root) throws VfioException {
    KernelFeature sleep = DeviceFeature.LOW_POWER_ENTRY.kernel();
    try (VfioDevice device = new FakeMachine(root).open(Backend.CONTAINER);
        Arena arena = Arena.ofConfined()) {
      OpenDevice engine = OpenDevice.of(device);

      assertThatExceptionOfType(UnsupportedByKernelException.class)
          .isThrownBy(() -> sleep.set(engine, KernelFeature.request(arena, 0), ""))
          .withMessageContaining("LOW_POWER_ENTRY of " + device.name())
          .withMessageContaining("Linux 6.1")
          .satisfies(refused -> assertThat(refused.errno()).contains(Errno.ENOTTY));
    }
  }
}
