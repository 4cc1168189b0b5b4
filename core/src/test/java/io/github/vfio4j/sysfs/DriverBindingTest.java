package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DriverBindingTest {

  private static final String DISK = "0000:01:00.0";
  private static final PciAddress ADDRESS = PciAddress.of(DISK);

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void startWithADiskUnderItsOwnDriver() {
    host = new FakeHost(root).module("vfio-pci").device(DISK).group(7, DISK).driver(DISK, "nvme");
    sysfs = host.sysfs();
  }

  private void assertUntouched() throws IOException {
    assertThat(host.driverOf(DISK)).isEqualTo("nvme");
    assertThat(host.overrideOf(DISK)).isEqualTo("(null)");
  }

  @Test
  void bindsOneDeviceAndGivesItBack() throws IOException {
    try (DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS)) {
      assertThat(host.driverOf(DISK)).isEqualTo("vfio-pci");
      assertThat(binding.formerDriver()).contains("nvme");
      assertThat(binding.device().cdev().orElseThrow().path())
          .isEqualTo(root.resolve("dev/vfio/devices/vfio0"));
      binding.restore();
      assertUntouched();
    }
    assertUntouched();
    assertThat(host.writes())
        .containsExactly(
            "driver_override vfio-pci",
            "unbind " + DISK,
            "bind " + DISK,
            "driver_override",
            "unbind " + DISK,
            "bind " + DISK);
  }

  @Test
  void aDeviceWithoutADriverIsLeftWithoutOne() throws IOException {
    host.device("0000:00:05.0").group(5, "0000:00:05.0");
    DriverBinding.bind(sysfs, PciAddress.of("00:05.0")).close();
    assertThat(host.driverOf("0000:00:05.0")).isEqualTo("none");
    assertThat(host.overrideOf("0000:00:05.0")).isEqualTo("(null)");
  }

  @Test
  void aFormerOverrideComesBack() throws IOException {
    host.device("0000:00:05.0").group(5, "0000:00:05.0");
    host.attribute("0000:00:05.0", "driver_override", "pci-stub");
    DriverBinding.bind(sysfs, PciAddress.of("00:05.0")).close();
    assertThat(host.overrideOf("0000:00:05.0")).isEqualTo("pci-stub");
  }

  @Test
  void aDeviceThatIsBoundAlreadyStaysBound() throws IOException {
    DriverBinding.bind(sysfs, ADDRESS);
    try (DriverBinding second = DriverBinding.bind(sysfs, ADDRESS)) {
      assertThat(second.device().hasVfioDriver()).isTrue();
    }
    assertThat(host.driverOf(DISK)).isEqualTo("vfio-pci");
  }

  @Test
  void theGroupNodeIsEnoughForAKernelWithoutDeviceNodes() throws IOException {
    host.withoutCdev();
    try (DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS)) {
      assertThat(binding.device().cdev()).isEmpty();
      assertThat(host.driverOf(DISK)).isEqualTo("vfio-pci");
    }
  }

  @Test
  void aNodeThatAppearsLateIsWaitedFor() throws IOException, InterruptedException {
    host.withoutNodes();
    Thread daemon =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!host.driverOf(DISK).equals("vfio-pci")) {
                    Thread.onSpinWait();
                  }
                  host.node("dev/vfio/devices/vfio0", 511, 0).node("dev/vfio/7", 244, 7);
                });
    try (DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS, Duration.ofMinutes(1))) {
      assertThat(binding.device().hasVfioDriver()).isTrue();
    }
    daemon.join();
  }

  @Test
  void aNodeThatNeverAppearsGivesTheDeviceBack() throws IOException {
    host.withoutNodes();
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS, Duration.ofMillis(50)))
        .withMessageContaining("dev/vfio/devices/vfio0 has not appeared")
        .withMessageContaining("after 50 ms; it goes back to nvme; --no-wait");
    assertUntouched();
  }

  @Test
  void nodesThatAreElsewhereAreNotWaitedFor() throws IOException {
    host.withoutNodes();
    try (DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS, Duration.ZERO)) {
      assertThat(binding.device().hasVfioDriver()).isTrue();
    }
    assertUntouched();
  }

  @Test
  void aNodeOfAnotherNumberIsNotTaken() throws IOException {
    host.withoutNodes().node("dev/vfio/devices/vfio0", 511, 3);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS, Duration.ofMillis(1)))
        .withMessageContaining("has the number 511:3, and not 511:0");
    assertUntouched();
  }

  @Test
  void anInterruptEndsTheWaitAndGivesTheDeviceBack() throws IOException {
    host.withoutNodes();
    Thread.currentThread().interrupt();
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS, Duration.ofMinutes(1)))
        .withMessageContaining("interrupted")
        .satisfies(e -> assertThat(e.errno()).isEmpty());
    assertThat(Thread.interrupted()).isTrue();
    assertUntouched();
  }

  @Test
  void aMissingDriverIsNamedBeforeAnythingIsTouched(@TempDir Path bare) throws IOException {
    FakeHost without = new FakeHost(bare).device(DISK).group(7, DISK).driver(DISK, "nvme");
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> DriverBinding.bind(without.sysfs(), ADDRESS))
        .withMessageContaining("modprobe vfio-pci");
    assertThat(without.writes()).isEmpty();
  }

  @Test
  void bridgesAreRefusedBeforeAnythingIsTouched() {
    host.attribute(DISK, "class", "0x060400");
    assertThatExceptionOfType(UnsupportedByKernelException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .withMessageContaining("bridge");
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void whoMayNotBindIsToldHow() throws IOException {
    host.refuse("driver_override", Errno.EACCES);
    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .withMessageContaining(DISK)
        .withMessageContaining("root")
        .satisfies(e -> assertThat(e.errno()).contains(Errno.EACCES));
    assertUntouched();
  }

  @Test
  void aReadOnlySysfsIsNamed() {
    host.refuse("driver_override", new Errno(30));
    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .withMessageContaining("mounted read-only");
  }

  @Test
  void aDriverThatKeepsTheDeviceIsReported() throws IOException {
    host.refuse("unbind", Errno.EBUSY);
    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .withMessageContaining("unbind nvme on " + DISK);
    assertUntouched();
  }

  @Test
  void aRefusalByVfioPciGivesTheDeviceBackAndKeepsTheErrorOfTheWayBack() throws IOException {
    host.refuse("bind", Errno.EINVAL);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .withMessageContaining("bind vfio-pci on " + DISK + ": EINVAL")
        .withMessageContaining("dmesg")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    assertThat(host.overrideOf(DISK)).isEqualTo("(null)");
  }

  @Test
  void aRefusalForWantOfAnIommuSaysSo() {
    host.device("0000:00:05.0").refuse("bind", Errno.EINVAL);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, PciAddress.of("00:05.0")))
        .withMessageContaining("no IOMMU group");
  }

  @Test
  void anAbsentDeviceIsNamed() {
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> DriverBinding.bind(sysfs, PciAddress.of("00:1f.0")))
        .withMessageContaining("0000:00:1f.0");
  }

  @Test
  void closingAfterTheDeviceHasGoneIsQuiet() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS);
    host.unplug(DISK);
    binding.close();
    binding.close();
  }

  @Test
  void aDriverBoundBySomebodyElseMeanwhileStays() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS);
    DriverBinding.unbind(sysfs, ADDRESS);
    int writes = host.writes().size();
    binding.close();
    assertThat(host.writes()).hasSize(writes);
    assertUntouched();
  }

  @Test
  void anOpenDeviceIsNotUnboundAndItsHolderIsNamed() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS);
    host.attribute(DISK, "enable", "1")
        .link("proc/812/fd/9", "/dev/vfio/7")
        .file("proc/812/comm", "qemu");
    int writes = host.writes().size();
    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(binding::close)
        .withMessageContaining("process 812 (qemu) has it open");
    assertThatExceptionOfType(DeviceBusyException.class)
        .isThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS));
    assertThat(host.writes()).hasSize(writes);

    host.attribute(DISK, "enable", "0");
    binding.close();
    assertUntouched();
  }

  @Test
  void unbindFindsTheDriverThatTheDeviceHadAtBoot() throws IOException {
    DriverBinding.bind(sysfs, ADDRESS);
    assertThat(DriverBinding.unbind(sysfs, ADDRESS).device().driver()).contains("nvme");
    assertUntouched();
  }

  @Test
  void unbindLeavesOtherDriversAlone() {
    assertThatExceptionOfType(DeviceNotBoundException.class)
        .isThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS))
        .withMessageContaining("nvme");
    assertThat(host.writes()).isEmpty();
  }
}
