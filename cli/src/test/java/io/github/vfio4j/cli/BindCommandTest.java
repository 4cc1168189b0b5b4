package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.map;

import io.github.vfio4j.Errno;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.PciDevice;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BindCommandTest {

  private static final String EDU = "0000:00:05.0";
  private static final String NIC = "0000:00:06.0";
  private static final String BRIDGE = "0000:00:07.0";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(EDU)
            .device(NIC)
            .device(BRIDGE)
            .attribute(BRIDGE, "class", "0x060400")
            .driver(NIC, "e1000e")
            .group(5, EDU)
            .group(6, NIC)
            .group(7, BRIDGE);
  }

  private CommandRun run(String... arguments) {
    return CommandRun.of(host.sysfs(), arguments);
  }

  private String driverOf(String address) throws VfioException {
    PciDevice device = host.sysfs().device(PciAddress.of(address));
    return device.driver().orElse("none");
  }

  @Test
  void bindsSeveralAndSaysWhatTheyHadBefore() throws VfioException {
    CommandRun run = run("bind", EDU, "00:06.0");

    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(
            EDU + "  no driver -> vfio-pci, " + root.resolve("dev/vfio/devices/vfio0"),
            NIC + "  e1000e -> vfio-pci, " + root.resolve("dev/vfio/devices/vfio1"));
    assertThat(driverOf(EDU)).isEqualTo("vfio-pci");
    assertThat(driverOf(NIC)).isEqualTo("vfio-pci");
  }

  @Test
  void givesAllBackWhenOneFails() throws VfioException {
    CommandRun run = run("bind", EDU, NIC, BRIDGE);

    assertThat(run.status()).isEqualTo(7);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines())
        .containsExactly(
            "vfio4j: " + NIC + " is again as it was",
            "vfio4j: " + EDU + " is again as it was",
            "vfio4j: bind on %s: it is a bridge; bind the devices behind it instead"
                .formatted(BRIDGE));
    assertThat(driverOf(EDU)).isEqualTo("none");
    assertThat(driverOf(NIC)).isEqualTo("e1000e");
  }

  @Test
  void bindsWithoutWaitingForNodesThatAreElsewhere() throws VfioException {
    host.withoutNodes();

    assertThat(run("bind", "--no-wait", NIC).status()).isZero();

    assertThat(driverOf(NIC)).isEqualTo("vfio-pci");
  }

  @Test
  void bindsADeviceNamedTwiceOnce() {
    assertThat(run("bind", EDU, EDU, "00:05.0").lines()).hasSize(1);
  }

  @Test
  void saysThatADeviceIsBoundAlready() {
    run("bind", EDU);

    CommandRun again = run("bind", EDU);

    assertThat(again.status()).isZero();
    assertThat(again.out()).startsWith(EDU + "  has vfio-pci already");
  }

  @Test
  void warnsOfNeighboursThatKeepTheGroupShut() {
    host.device("0000:00:08.0")
        .device("0000:00:08.1")
        .driver("0000:00:08.1", "nvme")
        .group(8, "0000:00:08.0", "0000:00:08.1");

    CommandRun run = run("bind", "00:08.0");

    assertThat(run.status()).isZero();
    assertThat(run.err()).contains("group 8").contains("vfio4j bind 0000:00:08.1");
  }

  private void mountADiskOfTheNic() {
    String disk = "sys/devices/pci0000:00/" + NIC + "/ata1/block/sda";
    host.file(disk + "/dev", "8:0")
        .link("sys/class/block/sda", root.resolve(disk).toString())
        .file("proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/root rw");
  }

  @Test
  void leavesWhatTheSystemUsesUnlessForced() throws VfioException {
    mountADiskOfTheNic();

    CommandRun refused = run("bind", EDU, NIC);

    assertThat(refused.status()).isEqualTo(5);
    assertThat(refused.err().lines())
        .containsExactly(
            "vfio4j: " + EDU + " is again as it was",
            "vfio4j: bind on %s: the running system would lose / (ext4 on sda); --force takes it anyway"
                .formatted(NIC));
    assertThat(driverOf(EDU)).isEqualTo("none");
    assertThat(driverOf(NIC)).isEqualTo("e1000e");

    assertThat(run("bind", "--force", EDU, NIC).status()).isZero();
    assertThat(driverOf(NIC)).isEqualTo("vfio-pci");
  }

  @ParameterizedTest
  @ValueSource(strings = {"83b8f4f2-509f-382f-3c1e-e6bfe0fa1001", "dma-engine.0", "eth0"})
  void saysInOneLineThatOnlyPciDevicesAreBound(String name) {
    for (String command : List.of("bind", "unbind")) {
      CommandRun run = run(command, name);

      assertThat(run.status()).isEqualTo(2);
      assertThat(run.err().lines())
          .singleElement()
          .asString()
          .startsWith("vfio4j: ")
          .contains(name)
          .contains("PCI");
    }
  }

  @Test
  void doesNotTellRootToBecomeRoot() {
    host.refuse("driver_override", Errno.EPERM);
    assertThat(run("bind", EDU).err()).contains("EPERM").contains("only root");

    host.file("proc/self/status", "Name:\tjava\nUid:\t0\t0\t0\t0");
    CommandRun run = run("bind", EDU);
    assertThat(run.status()).isEqualTo(4);
    assertThat(run.err()).contains("EPERM").contains("not even root").doesNotContain("only root");
  }

  @Test
  void warnsOfNeighboursThatItCannotBind() {
    host.link("sys/kernel/iommu_groups/9/devices/dma-engine.0", "../../../../devices/dma-engine.0")
        .link("sys/devices/dma-engine.0/driver", "../../bus/platform/drivers/dma")
        .device("0000:00:09.0")
        .group(9, "0000:00:09.0");

    CommandRun run = run("bind", "00:09.0");

    assertThat(run.status()).isZero();
    assertThat(run.err())
        .contains("group 9")
        .contains("/sys/kernel/iommu_groups/9/devices/dma-engine.0/driver/unbind")
        .doesNotContain("vfio4j bind");
  }

  @Test
  void printsJson() {
    assertThat(run("bind", "--json", NIC).objects("devices"))
        .singleElement(map(String.class, Object.class))
        .containsEntry("name", NIC)
        .containsEntry("formerDriver", "e1000e")
        .containsEntry("driver", "vfio-pci")
        .containsEntry("cdev", root.resolve("dev/vfio/devices/vfio0").toString());
  }

  @Test
  void unbindsToTheDriverOfTheSystem() throws VfioException {
    run("bind", EDU, NIC);

    CommandRun run = run("unbind", EDU, NIC);

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(EDU + "  vfio-pci -> no driver", NIC + "  vfio-pci -> e1000e");
    assertThat(driverOf(NIC)).isEqualTo("e1000e");
  }

  @Test
  void bindsAgainWhenOneCannotBeUnbound() throws VfioException {
    run("bind", EDU);

    CommandRun run = run("unbind", EDU, NIC);

    assertThat(run.status()).isEqualTo(6);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines())
        .containsExactly(
            "vfio4j: " + EDU + " is bound to vfio-pci again",
            "vfio4j: unbind on %s: its driver is e1000e, which is no VFIO driver".formatted(NIC));
    assertThat(driverOf(EDU)).isEqualTo("vfio-pci");
  }

  @Test
  void bindsAgainToTheVariantDriverThatADeviceHad() throws VfioException {
    host.module("mlx5_vfio_pci").attribute(EDU, "driver_override", "mlx5_vfio_pci");
    run("bind", EDU);
    assertThat(driverOf(EDU)).isEqualTo("mlx5_vfio_pci");

    CommandRun run = run("unbind", EDU, NIC);

    assertThat(run.status()).isEqualTo(6);
    assertThat(run.err()).contains(EDU + " is bound to mlx5_vfio_pci again");
    assertThat(driverOf(EDU)).isEqualTo("mlx5_vfio_pci");
  }

  @Test
  void doesNotSayThatADeviceIsUnboundWhichVfioPciTakesAgain() throws VfioException {
    run("bind", EDU);
    host.claim(EDU);

    CommandRun run = run("unbind", EDU);

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("ids=").contains("remove_id");
    assertThat(driverOf(EDU)).isEqualTo("vfio-pci");
  }
}
