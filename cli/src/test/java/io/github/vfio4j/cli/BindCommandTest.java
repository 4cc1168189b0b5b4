package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.map;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.FakeHost;
import io.github.vfio4j.sysfs.PciDevice;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
}
