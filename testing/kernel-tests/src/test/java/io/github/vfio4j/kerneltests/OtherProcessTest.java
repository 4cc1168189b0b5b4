package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A user without privileges needs the nodes and room to lock memory, and then has the device. */
@OnMachine({"intel/legacy", "smmuv3"}) // a JVM is slow to start
class OtherProcessTest {
  private static final int NOBODY = 65534;
  private static final int LIMIT = 64 << 10;

  @Test
  void userWithoutPrivilegesDrivesADeviceWithinTheLimits() throws IOException {
    var prefix = new ArrayList<>(List.of("prlimit", "--memlock=" + LIMIT));
    prefix.addAll(Child.AS_NOBODY);
    try (DriverBinding binding = DriverBinding.bind(Sysfs.host(), Machine.EDU);
        Child child = Child.start(prefix, OtherProcess.class)) {
      PciDevice edu = binding.device();
      Path group = Sysfs.host().group(edu.iommuGroup().orElseThrow()).node().orElseThrow().path();
      if (Machine.hasCdev()) {
        assertThat(child.line())
            .startsWith("open IOMMUFD: NotPermittedException: open on /dev/iommu: EACCES");
      }
      assertThat(child.line())
          .startsWith("open CONTAINER: NotPermittedException: open on " + group + ": EACCES");
      assertThat(child.line()).isEqualTo("waiting for the nodes");

      giveToNobody(group);
      if (Machine.hasCdev()) {
        giveToNobody(Path.of("/dev/iommu"));
        giveToNobody(edu.cdev().orElseThrow().path());
        child.goOn();
        assertLimited(child, Backend.IOMMUFD, "IOMMU_IOAS_MAP on IOAS ");
        assertBusy(child, binding);
      }
      child.goOn();
      assertLimited(child, Backend.CONTAINER, "VFIO_IOMMU_MAP_DMA on container /dev/vfio/vfio");
      assertBusy(child, binding);
      child.goOn();
      if (Machine.hasCdev()) {
        assertThat(child.line())
            .startsWith("attach: MemlockLimitException: VFIO_DEVICE_ATTACH_IOMMUFD_PT on ")
            .contains(edu.name(), "ENOMEM", "the limit of locked memory is 64 KiB");
        assertThat(child.line()).isEqualTo("locked 0");
      }
      assertThat(child.lines()).isEmpty();
    } finally {
      if (Machine.hasCdev()) {
        Files.setAttribute(Path.of("/dev/iommu"), "unix:uid", 0);
      }
    }
  }

  private static void giveToNobody(Path node) throws IOException {
    Files.setAttribute(node, "unix:uid", NOBODY);
  }

  private static void assertLimited(Child child, Backend backend, String operation)
      throws IOException {
    assertThat(child.line())
        .startsWith("map too much " + backend.name() + ": MemlockLimitException: " + operation)
        .contains("ENOMEM", "the limit of locked memory is 64 KiB", "ulimit -l");
    assertThat(child.line()).isEqualTo("locked 0");
    assertThat(child.line())
        .startsWith(
            "allocate too much " + backend.name() + ": MemlockLimitException: " + operation);
    assertThat(child.line()).isEqualTo("map less " + backend.name() + ": done");
    assertThat(child.line()).isEqualTo("locked " + LIMIT / 2);
  }

  private static void assertBusy(Child child, DriverBinding binding) throws IOException {
    assertThat(child.line()).isEqualTo("holding the device");
    BusyTest.assertBusyOnEachBackend();
    assertThatThrownBy(binding::close)
        .isInstanceOf(DeviceBusyException.class)
        .hasMessageContaining("process " + child.pid());
    child.goOn();
    assertThat(child.line()).isEqualTo("free");
    VfioDevice.open(Machine.EDU).close();
  }
}
