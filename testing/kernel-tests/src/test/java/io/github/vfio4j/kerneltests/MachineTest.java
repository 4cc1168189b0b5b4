package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.KernelRelease;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The machines are what the other tests take them for. */
@OnMachine
class MachineTest {
  @Test
  void runsTheKernelThatWasAskedFor() {
    var asked = KernelRelease.parse(Objects.requireNonNull(System.getenv("LAB_KERNEL")));

    KernelRelease running = Guest.current().kernel();

    assertThat(running.version()).isEqualTo(asked.version());
    if (asked.version() < 7) { // any later 7.x will do where 7.3 is gone
      assertThat(running.patchlevel()).isEqualTo(asked.patchlevel());
    }
  }

  @Test
  void hasTheLegacyContainer() {
    assertThat(Path.of("/dev/vfio/vfio")).exists();
  }

  @Test
  @OnMachine(since = "6.6")
  void hasIommufdOnNewKernels() {
    assertThat(Path.of("/dev/iommu")).exists();
  }

  @Test
  @OnMachine(before = "6.2")
  void hasNoIommufdOnOldKernels() {
    assertThat(Path.of("/dev/iommu")).doesNotExist();
  }

  @Test
  @OnMachine({"intel", "amd"})
  void groupsTheDevicesBehindTheBridge() throws IOException {
    Path group = Path.of("/sys/bus/pci/devices/0000:03:01.0/iommu_group/devices");

    try (var devices = Files.list(group)) {
      assertThat(devices.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "0000:00:08.0", "0000:03:01.0", "0000:03:02.0", "0000:03:03.0");
    }
  }

  @Test
  @OnMachine("bare")
  void hasNoGroupsWithoutAnIommu() throws IOException {
    try (var groups = Files.list(Path.of("/sys/kernel/iommu_groups"))) {
      assertThat(groups).isEmpty();
    }
  }
}
