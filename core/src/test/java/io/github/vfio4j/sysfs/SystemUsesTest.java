package io.github.vfio4j.sysfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device that the running system uses is not taken from it unless that is forced. */
class SystemUsesTest {
  private static final String CARD = "0000:01:00.0";
  private static final String OTHER = "0000:02:00.0";
  private static final PciAddress ADDRESS = PciAddress.of(CARD);
  private static final String MOUNTED = "36 35 %s / %s rw,noatime shared:1 - %s %s rw";

  @TempDir Path root;
  private FakeHost host;
  private Sysfs sysfs;

  @BeforeEach
  void startWithADiskThatNobodyUses() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(CARD)
            .device(OTHER)
            .group(7, CARD)
            .driver(CARD, "nvme");
    sysfs = host.sysfs();
    disk("nvme/nvme0/nvme0n1", "259:0");
    disk("nvme/nvme0/nvme0n1/nvme0n1p1", "259:1");
    disk("nvme/nvme0/nvme0n1/nvme0n1p2", "259:2");
  }

  private void disk(String path, String number) {
    blockDevice("pci0000:00/" + CARD + "/" + path, number);
  }

  private void blockDevice(String path, String number) {
    String name = path.substring(path.lastIndexOf('/') + 1);
    host.file("sys/devices/" + path + "/dev", number)
        .link("sys/class/block/" + name, "../../devices/" + path);
  }

  private void virtual(String name, String number, String... slaves) {
    blockDevice("virtual/block/" + name, number);
    for (String slave : slaves) {
      host.link("sys/devices/virtual/block/" + name + "/slaves/" + slave, "/x");
    }
  }

  private void mount(String number, String point, String type, String source) {
    host.file("proc/self/mountinfo", MOUNTED.formatted(number, point, type, source));
  }

  private void assertKept(String use) throws VfioException {
    assertThat(sysfs.uses(sysfs.device(ADDRESS))).containsExactly(use);
    assertThat(sysfs.uses(sysfs.device(PciAddress.of(OTHER)))).isEmpty();
    assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("bind on " + CARD + ": the running system would lose " + use);
    assertThat(host.writes()).isEmpty();
  }

  @Test
  void aDiskThatNobodyUsesIsTaken() throws VfioException {
    mount("8:1", "/", "ext4", "/dev/sda1");
    host.file("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2");

    assertThat(sysfs.uses(sysfs.device(ADDRESS))).isEmpty();
    DriverBinding.bind(sysfs, ADDRESS).close();
  }

  @Test
  void aMountedPartitionIsKept() throws VfioException {
    mount("259:2", "/home/a\\040b", "ext4", "/dev/root");
    assertKept("/home/a b (ext4 on nvme0n1p2)");
  }

  @Test
  void aFileSystemOfTheHostIsKeptThoughThisIsAContainer() throws VfioException {
    host.file("proc/1/mountinfo", MOUNTED.formatted("259:1", "/", "xfs", "/dev/nvme0n1p1"));
    assertKept("/ (xfs on nvme0n1p1)");
  }

  @Test
  void aFileSystemWithANumberOfItsOwnIsToldByItsSource() throws VfioException {
    mount("0:30", "/", "btrfs", "/dev/nvme0n1p1");
    assertKept("/ (btrfs on nvme0n1p1)");
  }

  @Test
  void aFileSystemOnSeveralDevicesIsKeptOnEach() throws VfioException {
    mount("0:30", "/", "btrfs", "/dev/sdb1");
    host.directory("sys/fs/btrfs/1234/devices/sdb1")
        .directory("sys/fs/btrfs/1234/devices/nvme0n1p2");
    assertKept("/ (btrfs on nvme0n1p2)");
  }

  @Test
  void swapSpaceIsKept() throws VfioException {
    host.file("proc/swaps", "Filename Type Size Used Priority\n/dev/nvme0n1p2 partition 1 0 -2");
    assertKept("the swap space on nvme0n1p2");
  }

  @Test
  void whatIsMountedFromAVolumeOnAnEncryptedDiskIsKept() throws VfioException {
    virtual("dm-0", "253:0", "nvme0n1p2");
    virtual("dm-1", "253:1", "dm-0");
    host.file("sys/devices/virtual/block/dm-1/dm/name", "vg-root");
    mount("253:1", "/", "ext4", "/dev/mapper/vg-root");

    assertThat(sysfs.uses(sysfs.device(ADDRESS)))
        .containsExactly("/ (ext4 on dm-1, vg-root)", "dm-0, which is made of nvme0n1p2");
    assertThatThrownBy(() -> DriverBinding.bind(sysfs, ADDRESS))
        .isInstanceOf(DeviceBusyException.class);
  }

  @Test
  void aVolumeIsKeptThoughNothingIsMounted() throws VfioException {
    virtual("md0", "9:0", "nvme0n1p1");
    assertKept("md0, which is made of nvme0n1p1");
  }

  @Test
  void aHolderIsFoundFromItsDiskToo() throws VfioException {
    virtual("bcache0", "252:0");
    host.link("sys/devices/pci0000:00/" + CARD + "/nvme/nvme0/nvme0n1/holders/bcache0", "/x");
    assertKept("bcache0, which is made of nvme0n1");
  }

  @Test
  void aDiskWithSeveralWaysToItIsKept() throws VfioException {
    blockDevice("virtual/nvme-subsystem/nvme-subsys0/nvme1n1", "259:8");
    blockDevice("virtual/nvme-subsystem/nvme-subsys0/nvme1n1/nvme1n1p1", "259:9");
    host.link(
        "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
        root.resolve("sys/devices/pci0000:00/" + CARD + "/nvme/nvme0").toString());
    mount("259:9", "/", "ext4", "/dev/nvme1n1p1");
    assertKept("/ (ext4 on nvme1n1p1)");
  }

  private void networkInterface(String state, String flags) {
    String path = "pci0000:00/" + CARD + "/virtio3/net/eth0";
    host.file("sys/devices/" + path + "/operstate", state)
        .file("sys/devices/" + path + "/flags", flags)
        .link("sys/class/net/eth0", "../../devices/" + path);
  }

  @Test
  void anInterfaceThatIsUpIsKept() throws VfioException {
    networkInterface("up", "0x1003");
    assertKept("the network interface eth0, which is up");
  }

  @Test
  void anInterfaceOfWhichOnlyItsFlagsTellIsKept() throws VfioException {
    networkInterface("unknown", "0x1003");
    assertKept("the network interface eth0, which is up");
  }

  @Test
  void anInterfaceThatRoutesLeadToIsKept() throws VfioException {
    networkInterface("down", "0x1003");
    host.file("proc/net/route", "Iface\tDestination\neth0\t00000000\t0100A8C0");
    assertKept("the network interface eth0, which routes lead to");
    host.file("proc/net/route", "Iface\tDestination")
        .file("proc/net/ipv6_route", "fe80 40 0 00 0 00000100 1 0 00000001     eth0");
    assertKept("the network interface eth0, which routes lead to");
  }

  @Test
  void anInterfaceThatIsDownIsTaken() throws VfioException {
    networkInterface("down", "0x1002");
    DriverBinding.bind(sysfs, ADDRESS).close();
  }

  @Test
  void aFolderThatTheHostSharesIsKept() throws VfioException {
    host.file("sys/devices/pci0000:00/" + CARD + "/virtio0/mount_tag", "root")
        .link("sys/bus/virtio/devices/virtio0", "../../../devices/pci0000:00/" + CARD + "/virtio0");
    mount("0:20", "/", "9p", "root");
    assertKept("/ (9p of the host)");
  }

  @Test
  void itIsTakenIfThatIsForced() throws VfioException {
    mount("259:2", "/", "ext4", "/dev/root");

    try (DriverBinding binding =
        DriverBinding.bind(sysfs, ADDRESS, Duration.ofSeconds(5), WhenInUse.TAKE)) {
      assertThat(binding.device().hasVfioDriver()).isTrue();
    }
  }
}
