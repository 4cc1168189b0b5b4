package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNode;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a diagnosis says of a device is what opening it does, and on which interface. */
@OnMachine
class VerdictTest {
  private static final Path IOMMU = Path.of("/dev/iommu");
  private static final Path CONTAINER = Path.of("/dev/vfio/vfio");
  private static final UUID TOKEN = UUID.fromString("83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");

  /** What a test does in an environment. */
  private interface Body {
    void run() throws IOException;
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
    Verdict.assertTrueOf(Machine.EDU);
  }

  @Test
  @Bound(Device.EDU)
  void ofADeviceThatIsBound() throws IOException {
    Verdict.assertTrueOf(Machine.EDU);
  }

  @Test
  @Bound(Device.EDU)
  void whicheverNodesAreMissing() throws IOException {
    List<Path> nodes = nodes();
    for (int set = 1; set < 1 << nodes.size(); set++) {
      int chosen = set;
      List<Path> missing =
          nodes.stream().filter(node -> (chosen >> nodes.indexOf(node) & 1) != 0).toList();
      without(missing, Optional.empty(), () -> Verdict.assertTrueOf(Machine.EDU));
    }
  }

  @Test
  @Bound(Device.EDU)
  void whicheverNodeIsAnotherDevices() throws IOException {
    for (Path node : nodes()) {
      without(
          List.of(node),
          Optional.of(Path.of("/dev/null")),
          () -> Verdict.assertTrueOf(Machine.EDU));
    }
  }

  @Test
  @OnMachine(OnMachine.IOMMU)
  @Bound(Device.EDU)
  void ofADeviceThatIsOpen() throws IOException {
    for (Backend backend : Machine.backends().toList()) {
      try (VfioDevice open = VfioDevice.open(Machine.EDU, backend)) {
        assertThat(open.isClosed()).isFalse();
        Verdict.assertTrueOf(Machine.EDU);
      }
      Verdict.assertTrueOf(Machine.EDU);
    }
  }

  /** Somebody may have the group alone, and none of its devices. */
  @Test
  @OnMachine(OnMachine.IOMMU)
  @Bound(Device.EDU)
  void ofADeviceWhoseGroupIsTaken() throws IOException {
    int group = Sysfs.host().device(Machine.EDU).iommuGroup().orElseThrow();
    try (Container container = Container.open()) {
      container.group(group);
      Verdict.assertTrueOf(Sysfs.host().device(Machine.EDU), Optional.empty());
    }
  }

  @Test
  @OnMachine({"intel", "amd"})
  @Bound({Device.BRIDGED_EDU, Device.BRIDGED_EDU_2})
  void ofADeviceWithNeighbours() throws IOException {
    HostDevice device = Sysfs.host().device(Machine.BRIDGED_EDU);
    Verdict.assertTrueOf(device, Optional.empty()); // one has a driver of the kernel

    try (var _ = DriverBinding.bind(Sysfs.host(), Machine.BRIDGED_RNG)) {
      Verdict.assertTrueOf(device, Machine.backends().findFirst());
      for (Backend backend : Machine.backends().toList()) {
        try (VfioDevice _ = VfioDevice.open(Machine.BRIDGED_EDU_2, backend)) {
          Verdict.assertTrueOf(device, Optional.empty());
        }
      }
    }
  }

  @Test
  @OnMachine(OnMachine.IOMMU)
  @Bound(Device.IGB)
  void ofAPhysicalFunctionAndItsVirtualOne() throws IOException {
    try (VirtualFunction virtual = VirtualFunction.of(Machine.IGB)) {
      PciDevice physical = virtual.physical();
      PciDevice trusted = virtual.device().withVfToken(TOKEN);
      Optional<Backend> way = Machine.backends().findFirst();
      Optional<Backend> wayWithToken =
          Machine.kernelIsSince("6.17") ? way : Optional.of(Backend.CONTAINER);
      Verdict.assertTrueOf(physical, way);
      Verdict.assertTrueOf(virtual.device(), Optional.empty());
      Verdict.assertTrueOf(physical.withVfToken(TOKEN), wayWithToken); // it has the token now
      Verdict.assertTrueOf(trusted, wayWithToken);
      try (VfioDevice _ = VfioDevice.open(trusted)) {
        Verdict.assertTrueOf(physical, Optional.empty());
        Verdict.assertTrueOf(physical.withVfToken(TOKEN), wayWithToken);
        Verdict.assertTrueOf(virtual.device(), Optional.empty());
        Verdict.assertTrueOf(trusted, Optional.empty());
      }
    }
  }

  @Test
  @OnMachine(since = "6.6")
  void ofAMediatedDevice() throws IOException {
    MediatedDevice mtty = SerialPort.create();
    try {
      Verdict.assertTrueOf(mtty, Optional.of(Backend.IOMMUFD));
      for (Backend backend : Machine.backends().toList()) {
        try (VfioDevice _ = VfioDevice.open(mtty, backend)) {
          Verdict.assertTrueOf(mtty, Optional.empty());
        }
      }
      Path node = mtty.cdev().orElseThrow().path();
      without(
          List.of(node),
          Optional.empty(),
          () -> Verdict.assertTrueOf(mtty, Optional.of(Backend.CONTAINER)));
    } finally {
      Sysfs.host().remove(mtty);
    }
  }

  /** What interrupts may do without remapping is for each interface to say. */
  @Test
  @OnMachine("virtio")
  @Bound(Device.EDU)
  void whicheverInterfaceAllowsUnsafeInterrupts() throws IOException {
    for (Backend backend : Machine.backends().toList()) {
      set(allowing(backend), false);
    }
    try {
      Verdict.assertTrueOf(Sysfs.host().device(Machine.EDU), Optional.empty());
      for (Backend backend : Machine.backends().toList()) {
        set(allowing(backend), true);
        Verdict.assertTrueOf(Sysfs.host().device(Machine.EDU), Optional.of(backend));
        set(allowing(backend), false);
      }
    } finally {
      for (Backend backend : Machine.backends().toList()) {
        set(allowing(backend), true);
      }
    }
    Verdict.assertTrueOf(Sysfs.host().device(Machine.EDU), Machine.backends().findFirst());
  }

  private static String allowing(Backend backend) {
    return (backend == Backend.IOMMUFD ? "iommufd" : "vfio_iommu_type1")
        + "/parameters/allow_unsafe_interrupts";
  }

  @Test
  @OnMachine("bare")
  void whetherOrNotDevicesMayDoWithoutAnIommu() throws IOException {
    String allowing = "vfio/parameters/enable_unsafe_noiommu_mode";
    try (DriverBinding binding = DriverBinding.bind(Sysfs.host(), Machine.EDU)) {
      Verdict.assertTrueOf(binding.device(), Optional.empty());
      set(allowing, false);
      Verdict.assertTrueOf(binding.device(), Optional.empty());
    } finally {
      set(allowing, true);
    }
  }

  private static void set(String parameter, boolean value) throws IOException {
    Files.writeString(Path.of("/sys/module", parameter), value ? "Y" : "N");
  }

  /** Root may open no node where the file system has none, as in many a container. */
  @Test
  @OnMachine(OnMachine.IOMMU)
  @Bound(Device.EDU)
  void whereNodesAreForbidden() throws Exception {
    run("mount", "--bind", "/dev/vfio", "/dev/vfio");
    try {
      run("mount", "-o", "remount,bind,nodev", "/dev/vfio");
      Verdict.assertTrueOf(Sysfs.host().device(Machine.EDU), Optional.empty());
    } finally {
      run("umount", "/dev/vfio");
    }
  }

  private static void run(String... command) throws Exception {
    assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
  }
}
