package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.Errno;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SysfsTest {

  private static final String EDU = "0000:00:05.0";
  private static final UUID MTTY = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void startEmpty() {
    host = new FakeHost(root);
    sysfs = host.sysfs();
  }

  @Test
  void readsEverythingAboutADevice() throws VfioException {
    host.device(EDU)
        .group(5, EDU)
        .driver(EDU, "vfio-pci")
        .attribute(EDU, "driver_override", "vfio-pci")
        .attribute(EDU, "reset_method", "flr bus")
        .attribute(EDU, "numa_node", "1");
    PciDevice device = sysfs.device(PciAddress.of(EDU));
    assertThat(device)
        .isEqualTo(
            new PciDevice(
                PciAddress.of(EDU),
                root.resolve("sys/devices/pci0000:00").resolve(EDU),
                0x1234,
                0x11e8,
                0x1af4,
                0x1100,
                0x00ff00,
                0x10,
                Optional.of("vfio-pci"),
                OptionalInt.of(5),
                Optional.of(
                    new DeviceNode(
                        root.resolve("dev/vfio/devices/vfio0"), new DeviceNumber(511, 0))),
                List.of("flr", "bus"),
                OptionalInt.of(1),
                Optional.empty()));
    assertThat(sysfs.driverOverride(device)).contains("vfio-pci");
    assertThat(device.hasVfioDriver()).isTrue();
    assertThat(device.isBridge()).isFalse();
    assertThat(device.cdev().orElseThrow().name()).isEqualTo("vfio0");
  }

  @Test
  void aDeviceMayHaveNeitherDriverNorGroupNorNode() throws VfioException {
    host.device(EDU);
    PciDevice device = sysfs.device(PciAddress.of(EDU));
    assertThat(device.driver()).isEmpty();
    assertThat(sysfs.driverOverride(device)).isEmpty();
    assertThat(device.iommuGroup()).isEmpty();
    assertThat(device.cdev()).isEmpty();
    assertThat(device.resetMethods()).isEmpty();
    assertThat(device.numaNode()).isEmpty();
    assertThat(device.hasVfioDriver()).isFalse();
    assertThat(sysfs.groups()).isEmpty();
  }

  @Test
  void aKernelWithoutDeviceNodesHasGroupNodesOnly() throws VfioException {
    host.withoutCdev().device(EDU).group(5, EDU).driver(EDU, "vfio-pci");
    assertThat(sysfs.device(PciAddress.of(EDU)).cdev()).isEmpty();
    assertThat(sysfs.group(5).node())
        .contains(new DeviceNode(root.resolve("dev/vfio/5"), new DeviceNumber(244, 5)));
  }

  @Test
  void knowsBridges() throws VfioException {
    host.device("0000:00:06.0").attribute("0000:00:06.0", "class", "0x060400");
    host.device("0000:00:00.0").attribute("0000:00:00.0", "class", "0x060000");
    assertThat(sysfs.device(PciAddress.of("00:06.0")).isBridge()).isTrue();
    assertThat(sysfs.device(PciAddress.of("00:00.0")).isBridge()).isFalse();
  }

  @Test
  void listsByAddressAndLeavesOutWhatHasGone() throws VfioException {
    host.device("0000:01:00.0").device(EDU).device("10000:00:00.0").device("0000:00:1f.0");
    host.unplug("0000:00:1f.0");
    assertThat(sysfs.devices())
        .extracting(HostDevice::name)
        .containsExactly(EDU, "0000:01:00.0", "10000:00:00.0");
  }

  @Test
  void aHostWithoutPciHasNoDevices(@TempDir Path empty) throws VfioException {
    assertThat(Sysfs.at(empty).devices()).isEmpty();
    assertThat(Sysfs.at(empty).groups()).isEmpty();
    assertThat(Sysfs.at(empty).mediatedTypes()).isEmpty();
  }

  @Test
  void anAbsentDeviceIsNamed() {
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.device(PciAddress.of(EDU)))
        .withMessageContaining(EDU)
        .satisfies(e -> assertThat(e.errno()).contains(Errno.ENOENT));
    assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(() -> sysfs.device(MTTY));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.group(5))
        .withMessageContaining("IOMMU group 5");
  }

  @Test
  void aNodeThatGoesWhileItIsReadIsAbsentWhateverTheErrorWas() throws VfioException {
    host.device(EDU).attribute(EDU, "vfio-dev/vfio0", "no directory any more");
    assertThat(sysfs.device(PciAddress.of(EDU)).cdev()).isEmpty();
    assertThat(sysfs.devices()).extracting(HostDevice::name).containsExactly(EDU);
  }

  @Test
  void whatIsThereAndCannotBeReadIsNotAbsent() {
    host.device(EDU).attribute(EDU, "reset_method/flr", "");
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sysfs.device(PciAddress.of(EDU)))
        .withMessageContaining("read reset_method on " + EDU)
        .isNotInstanceOf(NoSuchDeviceException.class);
  }

  @Test
  void aDeviceThatGoesWhileItIsReadIsGone() throws VfioException {
    host.device(EDU);
    Directory directory = sysfs.deviceDirectory("pci", EDU);
    assertThat(directory.hex("vendor")).isEqualTo(0x1234);
    host.unplug(EDU);
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> directory.hex("device"))
        .withMessageContaining(EDU);
    assertThat(directory.find("driver_override")).isEmpty();
    assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(directory::checkStillThere);
  }

  @Test
  void aMissingAttributeIsNamed() {
    host.file("sys/devices/pci0000:00/" + EDU + "/vendor", "0x1234")
        .link("sys/bus/pci/devices/" + EDU, "../../../devices/pci0000:00/" + EDU);
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sysfs.device(PciAddress.of(EDU)))
        .isNotInstanceOf(NoSuchDeviceException.class)
        .withMessageContaining("read device on " + EDU);
  }

  @Test
  void aNonsensicalAttributeIsShown() {
    host.device(EDU).attribute(EDU, "class", "bridge?");
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sysfs.device(PciAddress.of(EDU)))
        .withMessageContaining("read class on " + EDU)
        .withMessageContaining("bridge?");
    host.attribute(EDU, "class", "0x00ff00").attribute(EDU, "vfio-dev/vfio0/dev", "511");
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sysfs.device(PciAddress.of(EDU)))
        .withMessageContaining("read dev on " + EDU);
  }

  @Test
  void groupsTellMembersOffendersAndReservedRegions() throws VfioException {
    host.device(EDU).device("0000:00:05.1").device("0000:00:05.2").device("0000:00:06.0");
    host.driver(EDU, "vfio-pci").driver("0000:00:05.1", "nvme").driver("0000:00:06.0", "pcieport");
    host.group(12, EDU, "0000:00:05.1", "0000:00:05.2", "0000:00:06.0").group(3);
    host.file(
        "sys/kernel/iommu_groups/12/reserved_regions",
        """
        0xfffffffffff00000 0xffffffffffffffff reserved
        0x00000000fee00000 0x00000000feefffff msi""");
    assertThat(sysfs.groups()).extracting(IommuGroup::number).containsExactly(3, 12);
    IommuGroup group = sysfs.group(12);
    assertThat(group.type()).contains("DMA-FQ");
    assertThat(group.noIommu()).isFalse();
    assertThat(group.members()).hasSize(4);
    assertThat(group.blockers())
        .containsExactly(new IommuGroup.Member("0000:00:05.1", Optional.of("nvme"), false));
    assertThat(group.reservedRegions())
        .containsExactly(
            new ReservedRegion(0xfee00000L, 0xfeefffffL, "msi"),
            new ReservedRegion(0xfffffffffff00000L, -1, "reserved"));
    assertThat(group.reservedRegions().getFirst()).hasToString("0xfee00000-0xfeefffff msi");
    assertThat(group.reservedRegions().getLast().range().contains(new IovaRange(-1, -1))).isTrue();
  }

  @Test
  void aReservedRegionThatMakesNoSenseIsShown() {
    host.group(5).file("sys/kernel/iommu_groups/5/reserved_regions", "0x2 0x1 msi");
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> sysfs.group(5))
        .withMessageContaining("0x2 0x1 msi");
  }

  @Test
  void aGroupMadeWithoutAnIommuSaysSo() throws VfioException {
    host.device(EDU)
        .group(0, EDU)
        .file("sys/kernel/iommu_groups/0/name", "vfio-noiommu")
        .file("sys/class/vfio/noiommu-0/dev", "244:0");
    assertThat(sysfs.group(0).noIommu()).isTrue();
    assertThat(sysfs.group(0).node().orElseThrow().name()).isEqualTo("noiommu-0");
  }

  @Test
  void findsADeviceByNamePathAndNodeNumber() throws VfioException {
    host.device(EDU).group(5, EDU).driver(EDU, "vfio-pci");
    PciDevice device = sysfs.device(PciAddress.of(EDU));
    assertThat(sysfs.device("00:05.0")).isEqualTo(device);
    assertThat(sysfs.deviceAt(root.resolve("sys/bus/pci/devices/" + EDU))).isEqualTo(device);
    assertThat(sysfs.deviceAt(device.path())).isEqualTo(device);
    assertThat(sysfs.deviceOf(new DeviceNumber(511, 0))).isEqualTo(device);
  }

  @Test
  void refusesWhatIsNoDevice() {
    host.device(EDU).group(5, EDU).driver(EDU, "vfio-pci").directory("tmp/" + EDU);
    assertThatIllegalArgumentException().isThrownBy(() -> sysfs.device("eth0"));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.deviceAt(root.resolve("sys/bus")));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.deviceAt(root.resolve("tmp/" + EDU)));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.deviceAt(root.resolve("nowhere")));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.deviceOf(new DeviceNumber(244, 5)))
        .withMessageContaining("device number 244:5");
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(() -> sysfs.deviceOf(new DeviceNumber(1, 3)));
  }

  @Test
  void platformDevicesAreFoundByNameAndListedOnceVfioHasThem() throws VfioException {
    String place = "sys/devices/platform/LNRO0005:00/";
    host.file(place + "driver_override", "(null)")
        .link("sys/bus/platform/devices/LNRO0005:00", "../../../devices/platform/LNRO0005:00")
        .link(place + "subsystem", "../../../bus/platform");
    HostDevice unbound = sysfs.device("LNRO0005:00");
    assertThat(unbound.name()).isEqualTo("LNRO0005:00");
    assertThat(unbound.hasVfioDriver()).isFalse();
    assertThat(sysfs.platformDevices()).isEqualTo(List.of(unbound));
    assertThat(sysfs.devices()).isEmpty();

    host.link(place + "driver", "../../../bus/platform/drivers/vfio-platform");

    HostDevice bound = sysfs.device("LNRO0005:00");
    assertThat(bound.hasVfioDriver()).isTrue();
    assertThat(sysfs.devices()).isEqualTo(List.of(bound));
    assertThat(sysfs.deviceAt(bound.path())).isEqualTo(bound);
    assertThatIllegalArgumentException().isThrownBy(() -> sysfs.device("LNRO0005:01"));
    assertThatIllegalArgumentException().isThrownBy(() -> sysfs.device(".."));
  }

  @Test
  void mediatedDevicesAreCreatedReadAndRemoved() throws VfioException {
    String types = "sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/";
    host.file(types + "name", "Dual port serial")
        .file(types + "device_api", "vfio-pci")
        .file(types + "available_instances", "12")
        .link("sys/class/mdev_bus/mtty", "../../devices/virtual/mtty/mtty");
    assertThat(sysfs.mediatedTypes()).hasSize(1);
    MediatedType type = sysfs.mediatedTypes().getFirst();
    assertThat(type.name()).contains("Dual port serial");
    assertThat(type.availableInstances()).isEqualTo(12);

    MediatedDevice device = sysfs.create(type, MTTY);
    assertThat(device.parent()).isEqualTo("mtty");
    assertThat(device.type()).isEqualTo("mtty-2");
    assertThat(device.driver()).contains("vfio_mdev");
    assertThat(device.hasVfioDriver()).isTrue();
    assertThat(sysfs.devices()).isEqualTo(List.of(device));
    assertThat(sysfs.device(MTTY.toString())).isEqualTo(device);

    sysfs.remove(device);
    assertThat(sysfs.mediatedDevices()).isEmpty();
    assertThatExceptionOfType(NoSuchDeviceException.class).isThrownBy(() -> sysfs.device(MTTY));
  }

  @Test
  void whatNamesAnotherPlaceInSysfsIsNeitherCreatedNorRemoved() throws VfioException {
    host.device(EDU)
        .file("sys/devices/virtual/mtty/mtty/mdev_supported_types/mtty-2/device_api", "vfio-pci")
        .link("sys/class/mdev_bus/mtty", "../../devices/virtual/mtty/mtty");
    MediatedDevice device = sysfs.create(sysfs.mediatedTypes().getFirst(), MTTY);
    Path edu = sysfs.device(PciAddress.of(EDU)).path();
    List<String> before = List.copyOf(host.writes());

    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(
            () ->
                sysfs.remove(
                    new MediatedDevice(
                        MTTY,
                        edu,
                        device.parent(),
                        device.type(),
                        device.driver(),
                        device.iommuGroup(),
                        device.cdev())));
    assertThatExceptionOfType(NoSuchDeviceException.class)
        .isThrownBy(
            () ->
                sysfs.create(
                    new MediatedType("mtty", "mtty-2", edu, Optional.empty(), "vfio-pci", 1),
                    MTTY));

    assertThat(host.writes()).isEqualTo(before);
    assertThat(sysfs.mediatedDevices()).containsExactly(device);
  }

  @Test
  void whoMayNotCreateIsTold() {
    host.refuse("create", Errno.EPERM)
        .file("sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1/device_api", "vfio-pci");
    assertThatExceptionOfType(NotPermittedException.class)
        .isThrownBy(() -> sysfs.create(sysfs.mediatedTypes().getFirst(), MTTY))
        .withMessageContaining("create mtty-1 on " + MTTY)
        .withMessageContaining("root");
  }

  @Test
  void takesADevTApart() {
    assertThat(DeviceNumber.of(0x1ff00)).hasToString("511:0");
    assertThat(DeviceNumber.of(0xf405)).isEqualTo(new DeviceNumber(244, 5));
    assertThat(DeviceNumber.of(0x1bcde_123456_789_12L))
        .isEqualTo(new DeviceNumber(0x1bcde789, 0x12345612));
  }
}
