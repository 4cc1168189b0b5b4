package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What a diagnosis says of a device is what opening it does, and on which interface. */
@OnMachine
class VerdictTest {
  private static final Path IOMMU = Path.of("/dev/iommu");
  private static final Path CONTAINER = Path.of("/dev/vfio/vfio");

  /** What a test does in an environment. */
  private interface Body {
    void run() throws IOException;
  }

  private static void assertSoFor(PciAddress address) throws IOException {
    HostDevice device = Sysfs.host().device(address);
    Diagnosis diagnosis = Diagnosis.of(Sysfs.host(), device);

    Optional<Backend> opened = opened(device);

    assertThat(diagnosis.way()).as("%s", diagnosis.findings()).isEqualTo(opened);
    assertThat(diagnosis.isReady()).isEqualTo(opened.isPresent());
  }

  private static Optional<Backend> opened(HostDevice device) {
    try (VfioDevice open = VfioDevice.open(device)) {
      return Optional.of(open.choice().backend());
    } catch (VfioException refused) {
      return Optional.empty();
    }
  }

  /** Takes nodes away and puts what somebody might find there in their place. */
  private static void without(List<Path> nodes, Optional<Path> substitute, Body body)
      throws IOException {
    List<Path> moved = new ArrayList<>();
    try {
      for (Path node : nodes) {
        Files.move(node, kept(node));
        moved.add(node);
        if (substitute.isPresent()) {
          Files.createLink(node, substitute.get());
        }
      }
      body.run();
    } finally {
      for (Path node : moved) {
        Files.deleteIfExists(node);
        Files.move(kept(node), node);
      }
    }
  }

  private static Path kept(Path node) {
    return node.resolveSibling(node.getFileName() + ".kept");
  }

  private static List<Path> nodes() throws VfioException {
    HostDevice device = Sysfs.host().device(Machine.EDU);
    List<Path> nodes = new ArrayList<>(List.of(IOMMU, CONTAINER));
    device.cdev().map(DeviceNode::path).ifPresent(nodes::add);
    if (device.iommuGroup().isPresent()) {
      Sysfs.host()
          .group(device.iommuGroup().getAsInt())
          .node()
          .map(DeviceNode::path)
          .ifPresent(nodes::add);
    }
    return nodes.stream().filter(Files::exists).toList();
  }

  @Test
  void ofADeviceWithoutAVfioDriver() throws IOException {
    assertSoFor(Machine.EDU);
  }

  @Test
  @Bound(Device.EDU)
  void ofADeviceThatIsBound() throws IOException {
    assertSoFor(Machine.EDU);
  }

  @Test
  @Bound(Device.EDU)
  void whicheverNodesAreMissing() throws IOException {
    List<Path> nodes = nodes();
    for (int set = 1; set < 1 << nodes.size(); set++) {
      int chosen = set;
      List<Path> missing =
          nodes.stream().filter(node -> (chosen >> nodes.indexOf(node) & 1) != 0).toList();
      without(missing, Optional.empty(), () -> assertSoFor(Machine.EDU));
    }
  }

  @Test
  @Bound(Device.EDU)
  void whicheverNodeIsAnotherDevices() throws IOException {
    for (Path node : nodes()) {
      without(List.of(node), Optional.of(Path.of("/dev/null")), () -> assertSoFor(Machine.EDU));
    }
  }

  @Test
  @OnMachine(OnMachine.IOMMU)
  @Bound(Device.EDU)
  void ofADeviceThatIsOpen() throws IOException {
    for (Backend backend : Machine.backends().toList()) {
      try (VfioDevice open = VfioDevice.open(Machine.EDU, backend)) {
        assertThat(open.isClosed()).isFalse();
        assertSoFor(Machine.EDU);
      }
      assertSoFor(Machine.EDU);
    }
  }
}
