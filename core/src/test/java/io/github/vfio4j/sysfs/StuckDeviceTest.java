package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.diagnosis.Diagnosis;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kernel waits for who has a device open, and so do not those who ask it. */
@Timeout(60)
class StuckDeviceTest {
  private static final String DISK = "0000:01:00.0";
  private static final String DIRECTORY = "/sys/devices/pci0000:00/" + DISK;
  private static final PciAddress ADDRESS = PciAddress.of(DISK);
  private static final String MAPPED = "7f0000000000-7f0000001000 rw-s 00000000 00:06 812      ";

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void bindADisk() throws IOException {
    host = new FakeHost(root).module("vfio-pci").device(DISK).group(7, DISK).driver(DISK, "nvme");
    sysfs = host.sysfs().withPatience(Duration.ofMillis(200));
  }

  private DriverBinding bound() throws IOException {
    DriverBinding binding = DriverBinding.bind(sysfs, ADDRESS);
    host.file("proc/812/comm", "qemu").directory("proc/812/fd");
    return binding;
  }

  @Test
  void unbindingEndsInTimeAndSaysThatNobodyWasFound() throws IOException {
    bound();
    host.block("unbind");

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("unbind vfio-pci on " + DISK)
        .hasMessageContaining("within 0.2 s; it goes on")
        .hasMessageContaining("no process was found")
        .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());

    host.unblock("unbind");
  }

  @Test
  void theNameOfAVfioDriverDoesNotDecideHowLongItIsWaitedFor() {
    String gpu = "0000:02:00.0";
    host.device(gpu)
        .driver(gpu, "nvidia")
        .file("sys/devices/pci0000:00/" + gpu + "/vfio-dev/vfio0/dev", "511:0")
        .block("unbind");

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, PciAddress.of(gpu)))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("within 0.2 s; it goes on");

    host.unblock("unbind");
  }

  @Test
  void unbindingEndsInTimeAndSaysWhoHoldsTheDevice() throws IOException {
    DriverBinding binding = bound();
    host.file("proc/812/maps", MAPPED + "/dev/vfio/devices/vfio0 (deleted)").block("unbind");

    assertThatThrownBy(binding::close)
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageEndingWith("process 812 (qemu) has it open");

    host.unblock("unbind");
    while (!host.driverOf(DISK).equals("none")) {
      Thread.onSpinWait();
    }
    binding.close();
    assertThat(host.driverOf(DISK)).isEqualTo("nvme");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/vfio/devices/vfio0", "/dev/vfio/7"})
  void aMappingAloneKeepsADeviceOpen(String node) throws IOException {
    DriverBinding binding = bound();
    host.file("proc/812/maps", MAPPED + node).attribute(DISK, "enable", "1");

    assertRefusedBeforeAnythingIsTouched(binding, "process 812 (qemu) has it open");
  }

  @Test
  void theDevicesOwnFileIsToldByItsInformation() throws IOException {
    DriverBinding binding = bound();
    host.link("proc/812/fd/9", "anon_inode:[vfio-device]")
        .file("proc/812/fdinfo/9", "pos:\t0\nvfio-device-syspath: " + DIRECTORY)
        .attribute(DISK, "enable", "1");

    assertRefusedBeforeAnythingIsTouched(binding, "process 812 (qemu) has it open");
  }

  @Test
  void aFileOfAnotherDeviceDoesNotCount() throws IOException {
    DriverBinding binding = bound();
    host.link("proc/812/fd/9", "anon_inode:[vfio-device]")
        .file("proc/812/fdinfo/9", "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:05.0")
        .attribute(DISK, "enable", "1");

    binding.close();

    assertThat(host.driverOf(DISK)).isEqualTo("nvme");
  }

  @Test
  void whereTheKernelDoesNotSayWhichDeviceItIsNeitherDoWe() throws IOException {
    DriverBinding binding = bound();
    host.link("proc/812/fd/9", "anon_inode:[vfio-device]").attribute(DISK, "enable", "1");

    assertRefusedBeforeAnythingIsTouched(binding, "perhaps process 812 (qemu) has it open");
  }

  private void assertRefusedBeforeAnythingIsTouched(DriverBinding binding, String message) {
    int writes = host.writes().size();
    assertThatThrownBy(binding::close)
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining(message);
    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining(message);
    assertThat(host.writes()).hasSize(writes);
  }

  @Test
  void aDeviceThatIsBeingUnboundIsNotTakenForOneWithoutADriver() throws IOException {
    host.device("0000:00:05.0").group(5, "0000:00:05.0").attribute("0000:00:05.0", "enable", "1");
    PciAddress unbinding = PciAddress.of("00:05.0");
    host.file("proc/812/comm", "qemu").link("proc/812/fd/9", "/dev/vfio/devices/vfio3 (deleted)");

    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, unbinding))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("perhaps process 812 (qemu) has it open");
    assertThatThrownBy(() -> DriverBinding.bind(sysfs, unbinding))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("perhaps process 812 (qemu) has it open");
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void theProcessIsFoundThoughItsNameIsNoText() throws IOException {
    DriverBinding binding = bound();
    host.link("proc/812/fd/9", "/dev/vfio/7").attribute(DISK, "enable", "1");
    Files.write(root.resolve("proc/812/comm"), new byte[] {'q', (byte) 0xc3});

    assertRefusedBeforeAnythingIsTouched(binding, "process 812 (q\ufffd) has it open");
  }

  @Test
  void otherDevicesAndThisOneAreListedMeanwhile() throws IOException {
    host.device("0000:00:05.0").blockReading(DISK, "driver_override");

    assertThat(sysfs.devices()).extracting(HostDevice::name).containsExactly("0000:00:05.0", DISK);
    assertThat(Diagnosis.of(sysfs, sysfs.device(ADDRESS)).findings()).isNotEmpty();
  }

  @Test
  void bindingADeviceThatIsBeingUnboundIsRefusedInTime() throws IOException {
    host.blockReading(DISK, "driver_override");

    assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("read driver_override on " + DISK);
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void bindingADeviceWhoseOverrideCannotBeSetIsRefusedInTime() throws IOException {
    host.block("driver_override");

    assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("set driver_override on " + DISK);

    assertThat(host.driverOf(DISK)).isEqualTo("nvme");
    host.unblock("driver_override");
  }

  @Test
  void removingAMediatedDeviceEndsInTime() throws IOException {
    UUID uuid = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
    host.file("sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/device_api", "vfio-pci")
        .link("sys/class/mdev_bus/mtty", "../../devices/virtual/mtty/mtty");
    MediatedDevice device = sysfs.create(sysfs.mediatedTypes().getFirst(), uuid);
    host.block("remove");

    assertThatThrownBy(() -> sysfs.remove(device))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("remove on " + uuid);

    host.unblock("remove");
  }

  @Test
  void patienceIsNotNegative() {
    assertThatThrownBy(() -> sysfs.withPatience(Duration.ofNanos(-1)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
