package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever fails, and however, a device has the driver and the override that it had before. */
class GivingBackTest {
  private static final String NIC = "0000:01:00.0";
  private static final PciAddress ADDRESS = PciAddress.of(NIC);
  private static final String VARIANT = "mlx5_vfio_pci";
  private static final Duration AT_ONCE = Duration.ZERO;

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void startWithANicUnderItsOwnDriver() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .module(VARIANT)
            .device(NIC)
            .group(7, NIC)
            .driver(NIC, "mlx5_core");
    sysfs = host.sysfs();
  }

  private void assertState(String driver, String override) throws IOException {
    assertThat(host.driverOf(NIC)).isEqualTo(driver);
    assertThat(host.overrideOf(NIC)).isEqualTo(override);
  }

  private void failAt(String write, Throwable thrown) {
    host.observe(
        done -> {
          if (done.equals(write)) {
            host.observe(_ -> {});
            switch (thrown) {
              case Error error -> throw error;
              case RuntimeException exception -> throw exception;
              default -> throw new AssertionError(thrown);
            }
          }
        });
  }

  @ParameterizedTest
  @CsvSource({"driver_override vfio-pci", "unbind " + NIC, "bind " + NIC})
  void anErrorAtAnyStepOfBindingIsUndone(String write) throws IOException {
    for (Throwable thrown : new Throwable[] {new OutOfMemoryError(), new ArithmeticException()}) {
      failAt(write, thrown);

      assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS)).isSameAs(thrown);

      assertState("mlx5_core", "(null)");
    }
  }

  @Test
  void theLongestPatienceIsNoOverflow() throws IOException {
    try (DriverBinding binding =
        DriverBinding.bind(sysfs, ADDRESS, Duration.ofSeconds(Long.MAX_VALUE))) {
      assertThat(binding.device().hasVfioDriver()).isTrue();
    }
    assertState("mlx5_core", "(null)");
  }

  @Test
  void negativePatienceIsRefusedBeforeAnythingIsTouched() {
    assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS, Duration.ofNanos(-1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void aVariantDriverThatTheOverrideNamesIsTaken() throws IOException {
    host.attribute(NIC, "driver_override", VARIANT);
    try (DriverBinding _ = DriverBinding.bind(sysfs, ADDRESS)) {
      assertState(VARIANT, VARIANT);
    }
    assertState("mlx5_core", VARIANT);
  }

  private void bindTo(String driver) throws IOException {
    host.attribute(NIC, "driver_override", driver);
    DriverBinding.bind(sysfs, ADDRESS);
  }

  @ParameterizedTest
  @CsvSource({"vfio-pci", VARIANT})
  void anUnbindingThatFailsHalfWayIsUndone(String driver) throws IOException {
    bindTo(driver);
    host.refuse("drivers_probe", Errno.EIO);

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS))
        .isInstanceOf(VfioException.class)
        .hasMessageContaining("probe drivers on " + NIC + ": EIO")
        .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());

    assertState(driver, driver);
  }

  @ParameterizedTest
  @CsvSource({"driver_override", "unbind " + NIC, "drivers_probe " + NIC})
  void anErrorAtAnyStepOfUnbindingIsUndone(String write) throws IOException {
    bindTo(VARIANT);
    OutOfMemoryError thrown = new OutOfMemoryError();
    failAt(write, thrown);

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS)).isSameAs(thrown);

    assertState(VARIANT, VARIANT);
  }

  @Test
  void aDeviceThatVfioPciTakesAgainIsNotUnbound() throws IOException {
    bindTo("vfio-pci");
    host.claim(NIC);

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS))
        .isExactlyInstanceOf(VfioException.class)
        .hasMessageContaining("vfio-pci takes all devices 1234:11e8, by its option ids=")
        .hasMessageContaining("echo 1234 11e8 > /sys/bus/pci/drivers/vfio-pci/remove_id");

    assertState("vfio-pci", "vfio-pci");
  }

  @Test
  void aDeviceIsBoundAgainToTheVariantDriverThatItHad() throws IOException {
    bindTo(VARIANT);
    PciDevice former = sysfs.device(ADDRESS);
    assertThat(DriverBinding.unbind(sysfs, ADDRESS).device().driver()).contains("mlx5_core");

    assertThat(DriverBinding.rebind(sysfs, former).driver()).contains(VARIANT);

    assertState(VARIANT, VARIANT);
  }

  @Test
  void theWayBackWorksInAnInterruptedThread() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS);
    Thread.currentThread().interrupt();

    binding.close();

    assertThat(Thread.interrupted()).isTrue();
    assertState("mlx5_core", "(null)");
  }

  @Test
  void aWayBackThatFailsCanBeTriedAgain() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS, AT_ONCE);
    host.refuse("unbind", Errno.EBUSY);
    assertThatThrownBy(binding::close).isInstanceOf(DeviceBusyException.class);

    host.accept("unbind");
    binding.close();

    assertState("mlx5_core", "(null)");
  }
}
