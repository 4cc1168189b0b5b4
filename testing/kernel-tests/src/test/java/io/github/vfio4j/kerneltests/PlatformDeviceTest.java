package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.NotPermittedException;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.diagnosis.Diagnosis;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.PlatformDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A device of the board that is on no bus, one of the many places for virtio devices, empty here.
 * The SMMU guards what is on PCI alone, so it takes VFIO's no-IOMMU mode.
 */
@OnMachine("smmuv3")
class PlatformDeviceTest {
  private static final String NAME = "LNRO0005:00";
  private static final Path DEVICE = Path.of("/sys/bus/platform/devices", NAME);
  private static final Path DRIVER = Path.of("/sys/bus/platform/drivers/vfio-platform");
  private static final Path NO_IOMMU =
      Path.of("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");

  /** What the registers begin with, and what they are of. */
  private static final int MAGIC = 0x74726976;

  private static final int DEVICE_ID = 8;

  @BeforeEach
  void bind() throws IOException {
    Files.writeString(NO_IOMMU, "Y");
    Files.writeString(DEVICE.resolve("driver_override"), "vfio-platform");
    Files.writeString(DRIVER.resolve("bind"), NAME);
  }

  @AfterEach
  void unbind() throws IOException {
    Files.writeString(DRIVER.resolve("unbind"), NAME);
    Files.writeString(DEVICE.resolve("driver_override"), "\n");
    Files.writeString(NO_IOMMU, "N");
  }

  @Test
  void isFoundWithItsNodes() throws VfioException {
    PlatformDevice device = (PlatformDevice) Sysfs.host().device(NAME);

    assertThat(device.hasVfioDriver()).isTrue();
    assertThat(device.driver()).contains("vfio-platform");
    assertThat(device.cdev().orElseThrow().path()).exists();
    assertThat(Sysfs.host().devices()).contains(device);
    assertThat(Sysfs.host().deviceAt(DEVICE)).isEqualTo(device);
    assertThat(Sysfs.host().deviceOf(device.cdev().orElseThrow().number())).isEqualTo(device);
  }

  @Test
  void isNotOpenedByAccident() throws VfioException {
    PlatformDevice device = (PlatformDevice) Sysfs.host().device(NAME);

    assertThat(Diagnosis.of(Sysfs.host(), device).isReady()).isFalse();
    for (Backend backend : Machine.backends().toList()) {
      assertThatThrownBy(() -> VfioDevice.open(device, backend))
          .isInstanceOf(NotPermittedException.class)
          .hasMessageContaining("no IOMMU guards it");
    }
  }

  @Test
  void registersAndInterruptComeThroughTheGroup() throws IOException {
    try (Container container = Container.open(Container.Type.NOIOMMU)) {
      assertDrives(container.openDevice(Sysfs.host().device(NAME)));
    }
  }

  @Test
  void registersAndInterruptComeThroughIommufd() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      assertDrives(iommufd.bindWithoutIommu(Sysfs.host().device(NAME)));
    }
  }

  private static void assertDrives(VfioDevice device) throws VfioException {
    assertThat(device.name()).isEqualTo(NAME);
    assertThat(device.info().pci()).isFalse();
    assertThatThrownBy(device::pci).isInstanceOf(IllegalStateException.class);
    Region registers = device.region(0);
    assertThat(registers.size()).isEqualTo(0x200);
    assertThat(registers.readInt(0)).isEqualTo(MAGIC);
    assertThat(registers.readInt(DEVICE_ID)).isZero();
    assertThat(device.irq(0).count()).isEqualTo(1);
    try (Interrupt interrupt = device.irq(0).enable(0)) {
      interrupt.trigger();
      assertThat(interrupt.await(Duration.ofSeconds(20))).isEqualTo(1);
    }
  }
}
