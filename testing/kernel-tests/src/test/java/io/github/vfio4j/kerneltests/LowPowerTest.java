package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.pci.LowPower;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A device really sleeps, and wakes up. */
@OnMachine(
    value = {"intel/legacy", "smmuv3", "amd"}, // the IOMMU does not matter
    since = "6.1")
@Bound(Device.NVME)
class LowPowerTest {
  private static final long SIZES = 0x24;
  private static final long VERSION = 8;
  private static final long PATIENCE_NS = 10_000_000_000L;

  private static String powerState() throws IOException {
    Path device = Sysfs.host().device(Machine.NVME).path();
    return Files.readString(device.resolve("power_state")).strip();
  }

  /** The kernel lets it fall asleep in its own time. */
  private static void assertFallsAsleep() throws IOException {
    long end = System.nanoTime() + PATIENCE_NS;
    while (powerState().equals("D0") && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertThat(powerState()).isIn("D3hot", "D3cold");
  }

  @EachBackend
  void sleepsUntilItIsToWakeUp(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      int version = device.region(0).readInt(VERSION);
      assertThat(powerState()).isEqualTo("D0");
      try (LowPower sleep = LowPower.enter(device)) {
        assertThat(sleep.wakeup()).isEmpty();
        assertFallsAsleep();
        assertThatExceptionOfType(VfioException.class)
            .isThrownBy(() -> LowPower.enter(device))
            .satisfies(refused -> assertThat(refused.errno()).contains(Errno.EINVAL));
        assertThat(device.pci().config().vendorId()).isEqualTo(0x1b36);
        assertFallsAsleep();
      }
      assertThat(powerState()).isEqualTo("D0");
      assertThat(device.region(0).readInt(VERSION)).isEqualTo(version);
      device.region(0).writeInt(SIZES, 0x30003);
      assertThat(device.region(0).readInt(SIZES)).isEqualTo(0x30003);
    }
  }

  @EachBackend
  void tellsThatItWasTouched(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend)) {
      int version = device.region(0).readInt(VERSION);
      try (LowPower sleep = LowPower.enterWithWakeup(device)) {
        LowPower.Wakeup wakeup = sleep.wakeup().orElseThrow();
        assertFallsAsleep();
        assertThat(wakeup.await(Duration.ZERO)).isFalse();

        assertThat(device.region(0).readInt(VERSION)).isEqualTo(version);

        assertThat(wakeup.await(Duration.ofSeconds(10))).isTrue();
        assertThat(powerState()).isEqualTo("D0");
        assertThat(wakeup.await(Duration.ofMillis(300))).isFalse(); // it stays awake
        assertThat(powerState()).isEqualTo("D0");
        try (LowPower again = LowPower.enterWithWakeup(device)) {
          assertFallsAsleep();
          assertThat(again.wakeup().orElseThrow().await(Duration.ZERO)).isFalse();
        }
      }
      assertThat(powerState()).isEqualTo("D0");
    }
  }

  /** Mapped registers are not there meanwhile, which is no reason to crash. */
  @EachBackend
  void mappedRegistersComeBack(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.NVME, backend);
        MappedRegion registers = device.region(0).map()) {
      int version = registers.getInt(VERSION);
      try (LowPower _ = LowPower.enter(device)) {
        assertFallsAsleep();
        assertThatThrownBy(() -> registers.getInt(VERSION)).isInstanceOf(InternalError.class);
      }
      assertThat(registers.getInt(VERSION)).isEqualTo(version);
    }
  }

  @EachBackend
  void endsWithTheDevice(Backend backend) throws IOException {
    VfioDevice device = VfioDevice.open(Machine.NVME, backend);
    LowPower sleep = LowPower.enterWithWakeup(device);
    assertFallsAsleep();

    device.close();

    assertThat(sleep.wakeup().orElseThrow().isClosed()).isTrue();
    sleep.close();
    try (VfioDevice again = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(powerState()).isEqualTo("D0");
      assertThat(again.region(0).readInt(VERSION)).isNotEqualTo(-1);
    }
  }
}
