package io.github.vfio4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.cli.host.OpenedDevice;
import io.github.vfio4j.iommufd.IommuSurvey;
import io.github.vfio4j.sysfs.FakeHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What commands open, they open with the token that they are given. */
class VfTokenTest {

  private static final String DEVICE = "0000:00:05.0";
  private static final String OTHER = "0000:00:06.0";
  private static final UUID TOKEN = UUID.fromString("52ac9bff-3a88-4fbd-901a-0d767c3b6c97");

  @TempDir Path root;
  private final List<Optional<UUID>> tokens = new ArrayList<>();
  private FakeHost host;

  @BeforeEach
  void makeHost() {
    host =
        new FakeHost(root)
            .module("vfio-pci")
            .device(DEVICE)
            .device(OTHER)
            .group(5, DEVICE)
            .group(6, OTHER)
            .driver(DEVICE, "vfio-pci")
            .driver(OTHER, "vfio-pci");
  }

  /** Notes the token, and refuses the device. */
  private VfioException refusal(HostDevice device) {
    tokens.add(device.vfToken());
    return new VfioException("open", device.name(), null, "for a test");
  }

  private OpenedDevice open(HostDevice device) throws VfioException {
    throw refusal(device);
  }

  private IommuSurvey survey(HostDevice device) throws VfioException {
    throw refusal(device);
  }

  private List<String> reset(HostDevice device, boolean hot) throws VfioException {
    throw refusal(device);
  }

  @Test
  void showOpensEachDeviceWithIt() {
    CommandRun run =
        CommandRun.of(
            host.sysfs(), this::open, "show", "--vf-token", TOKEN.toString(), DEVICE, OTHER);
    assertThat(run.status()).isZero();
    CommandRun.of(host.sysfs(), this::open, "show", DEVICE);

    assertThat(tokens).containsExactly(Optional.of(TOKEN), Optional.of(TOKEN), Optional.empty());
    assertThat(run.out() + run.err()).doesNotContain(TOKEN.toString());
  }

  @Test
  void iommuAndResetOpenTheDeviceWithIt() {
    CommandRun.surveying(
        host.sysfs(), this::survey, "iommu", "--vf-token", TOKEN.toString(), DEVICE);
    CommandRun reset =
        CommandRun.resetting(
            host.sysfs(), this::reset, "reset", "--vf-token", TOKEN.toString(), DEVICE);

    assertThat(tokens).containsExactly(Optional.of(TOKEN), Optional.of(TOKEN));
    assertThat(reset.err()).contains("for a test").doesNotContain(TOKEN.toString());
  }

  @Test
  void everyCommandThatOpensADeviceTakesIt() {
    for (String command :
        List.of(
            "show",
            "iommu",
            "doctor",
            "reset",
            "vf",
            "migrate save",
            "migrate restore",
            "nvme identify",
            "nvme smart",
            "nvme read",
            "nvme write",
            "nvme bench")) {
      List<String> words = new ArrayList<>(List.of(command.split(" ")));
      words.add("--help");
      CommandRun help = CommandRun.of(host.sysfs(), words.toArray(String[]::new));
      assertThat(help.out()).as(command).contains("--vf-token=UUID");
    }
  }

  @Test
  void aMediatedDeviceTakesNone() {
    String uuid = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    host.directory("sys/devices/parent/" + uuid)
        .link("sys/bus/mdev/devices/" + uuid, "../../../devices/parent/" + uuid);

    CommandRun run = CommandRun.of(host.sysfs(), "show", "--vf-token", TOKEN.toString(), uuid);

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.err()).contains("takes no --vf-token: only PCI devices do");
  }
}
