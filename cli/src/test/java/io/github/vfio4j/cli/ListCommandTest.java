package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ListCommandTest {

  private static final String MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

  @TempDir Path root;
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host =
        new FakeHost(root)
            .device("0000:00:05.0")
            .device("0000:00:06.0")
            .device("0000:00:1f.0")
            .device("0000:03:01.0");
  }

  private CommandRun list(String... options) {
    String[] arguments = new String[options.length + 1];
    arguments[0] = "list";
    System.arraycopy(options, 0, arguments, 1, options.length);
    return CommandRun.of(host.sysfs(), arguments);
  }

  @Test
  void groupsDevicesAndPutsThoseWithoutAGroupLast() {
    host.group(12, "0000:00:05.0", "0000:03:01.0").group(3, "0000:00:1f.0");

    CommandRun run = list();

    assertThat(run.status()).isZero();
    assertThat(run.lines())
        .containsExactly(
            "GROUP  ADDRESS       DRIVER  CDEV  DEVICE",
            "    3  0000:00:1f.0  -       -     device [1234:11e8]",
            "   12  0000:00:05.0  -       -     device [1234:11e8]",
            "       0000:03:01.0  -       -     device [1234:11e8]",
            "    -  0000:00:06.0  -       -     device [1234:11e8]");
  }

  @Test
  void showsDriverAndNode() {
    host.group(3, "0000:00:05.0").driver("0000:00:05.0", "vfio-pci");

    assertThat(list().lines()).contains("    3  0000:00:05.0  vfio-pci  vfio0  device [1234:11e8]");
  }

  @Test
  void showsMediatedDevices() {
    host.directory("sys/devices/virtual/mtty/mtty/" + MDEV)
        .link("sys/devices/virtual/mtty/mtty/" + MDEV + "/mdev_type", "../types/mtty-2")
        .link("sys/devices/virtual/mtty/mtty/" + MDEV + "/driver", "/x/drivers/vfio_mdev")
        .link("sys/bus/mdev/devices/" + MDEV, "../../../devices/virtual/mtty/mtty/" + MDEV);

    assertThat(list("--vfio").lines()).last().asString().contains(MDEV).endsWith("mtty-2 of mtty");
  }

  @Test
  void leavesOutWhatIsNotBoundIfAsked() {
    host.group(3, "0000:00:05.0").driver("0000:00:05.0", "vfio-pci").driver("0000:00:06.0", "nvme");

    assertThat(list("--vfio").lines()).hasSize(2).last().asString().contains("0000:00:05.0");
  }

  @Test
  void saysThatThereIsNothing(@TempDir Path empty) {
    CommandRun run = CommandRun.of(new FakeHost(empty).sysfs(), "list");

    assertThat(run.lines()).containsExactly("No devices.");
    assertThat(run.status()).isZero();
  }

  @Test
  void printsJsonWithNullsForWhatIsMissing() {
    host.group(3, "0000:00:05.0").driver("0000:00:05.0", "vfio-pci");

    List<?> devices = list("--json").objects("devices");

    assertThat(devices).hasSize(4);
    assertThat(list("--json").objects("devices").getFirst())
        .containsEntry("name", "0000:00:05.0")
        .containsEntry("bus", "pci")
        .containsEntry("vendorId", "0x1234")
        .containsEntry("deviceId", "0x11e8")
        .containsEntry("classCode", "0x00ff00")
        .containsEntry("deviceName", null)
        .containsEntry("iommuGroup", 3)
        .containsEntry("driver", "vfio-pci")
        .containsEntry("vfio", true)
        .containsEntry("cdev", root.resolve("dev/vfio/devices/vfio0").toString());
    assertThat(list("--json").objects("devices").get(1))
        .containsEntry("iommuGroup", null)
        .containsEntry("driver", null)
        .containsEntry("vfio", false)
        .containsEntry("cdev", null);
  }

  @Test
  void printsEmptyJsonWhereThereIsNothing(@TempDir Path empty) {
    assertThat(CommandRun.of(new FakeHost(empty).sysfs(), "list", "--json").objects("devices"))
        .isEmpty();
  }
}
