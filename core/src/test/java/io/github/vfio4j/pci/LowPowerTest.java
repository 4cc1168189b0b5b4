package io.github.vfio4j.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device that sleeps, and whatever may end that. */
class LowPowerTest {
  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;

  @BeforeEach
  void openDevice() throws VfioException {
    machine = new FakeMachine(root);
    machine.pci.reaches(FakeMachine.ADDRESS, 1);
    device = machine.open(Backend.IOMMUFD);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void closingWakesItUp() throws VfioException {
    try (LowPower sleep = LowPower.enter(device)) {
      assertThat(machine.pci.sleeps()).isTrue();
      assertThat(sleep.wakeup()).isEmpty();
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> LowPower.enterWithWakeup(device))
          .withMessageContaining("may sleep already");
    }
    assertThat(machine.pci.sleeps()).isFalse();
  }

  @Test
  void wakingUpIsTold() throws VfioException {
    LowPower sleep = LowPower.enterWithWakeup(device);
    LowPower.Wakeup wakeup = sleep.wakeup().orElseThrow();
    assertThat(wakeup.await(Duration.ZERO)).isFalse();

    machine.pci.touch();

    assertThat(wakeup.await(Duration.ofSeconds(5))).isTrue();
    assertThat(wakeup.await(Duration.ZERO)).isFalse();
    sleep.close();
    sleep.close();
    assertThat(wakeup.isClosed()).isTrue();
    assertThatIllegalStateException().isThrownBy(() -> wakeup.await(Duration.ZERO));
  }

  @Test
  void endsWithItsDevice() throws VfioException {
    LowPower sleep = LowPower.enterWithWakeup(device);

    device.close();

    assertThat(sleep.wakeup().orElseThrow().isClosed()).isTrue();
    assertThat(machine.kernel.leftOpen()).isEmpty();
    sleep.close();
    assertThatIllegalStateException().isThrownBy(() -> LowPower.enter(device));
    assertThatIllegalStateException().isThrownBy(() -> LowPower.enterWithWakeup(device));
  }

  @Test
  void wakingUpThatFailedCanBeTriedAgain() throws VfioException {
    LowPower sleep = LowPower.enterWithWakeup(device);
    machine.kernel.fail(Ioctl.VFIO_DEVICE_FEATURE, Errno.EIO);

    assertThatExceptionOfType(VfioException.class).isThrownBy(sleep::close);
    assertThat(sleep.wakeup().orElseThrow().isClosed()).isFalse();

    machine.kernel.failNoMore();
    sleep.close();
    assertThat(machine.pci.sleeps()).isFalse();
  }

  @Test
  void whateverFailsNothingIsLeftOpen() throws VfioException {
    for (int call = 1; call <= 3; call++) {
      machine.kernel.failCall(call, Errno.ENOTTY);
      try {
        LowPower.enterWithWakeup(device).close();
      } catch (VfioException refused) {
        assertThat(machine.kernel.hasFailed()).isTrue();
      }
    }
  }

  @Test
  void whatHasNoLowPowerSaysSo() {
    machine.kernel.fail(Ioctl.VFIO_DEVICE_FEATURE, Errno.ENOTTY);
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> LowPower.enter(device))
        .withMessageContaining("Linux 6.1");
  }
}
