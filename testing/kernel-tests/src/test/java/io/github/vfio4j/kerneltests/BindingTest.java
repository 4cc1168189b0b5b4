package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Devices go to {@code vfio-pci} and back to the driver they had. */
@OnMachine(OnMachine.IOMMU)
class BindingTest {
  private final Sysfs sysfs = Sysfs.host();

  private PciDevice rng() throws IOException {
    return sysfs.device(Machine.RNG);
  }

  @AfterEach
  void everythingIsAsItWas() throws IOException {
    assertThat(rng().driver()).contains("virtio-pci");
    assertThat(sysfs.driverOverride(rng())).isEmpty();
    assertThat(rng().cdev()).isEmpty();
    assertThat(sysfs.group(rng().iommuGroup().orElseThrow()).node()).isEmpty();
    assertThat(rng().path().resolve("vfio-dev")).doesNotExist();
  }

  @Test
  void deviceComesBackToItsFormerDriver() throws IOException {
    try (DriverBinding binding = DriverBinding.bind(sysfs, Machine.RNG)) {
      assertThat(binding.formerDriver()).contains("virtio-pci");
      assertThat(binding.device().driver()).contains("vfio-pci");
      assertThat(binding.device()).isEqualTo(rng());
      assertThat(sysfs.group(rng().iommuGroup().orElseThrow()).node().orElseThrow().path())
          .exists();
      assertThat(rng().cdev().isPresent()).isEqualTo(Machine.hasCdev());
      if (Machine.hasCdev()) {
        assertThat(rng().cdev().orElseThrow().path()).exists();
      }
      try (VfioDevice device = VfioDevice.open(Machine.RNG)) {
        assertThat(device.pci().config().vendorId()).isEqualTo(0x1af4);
      }
    }
  }

  @EachBackend
  void deviceThatIsBoundAndOpenedComesBackWhenItIsClosed(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.bindAndOpen(Machine.RNG, backend)) {
      assertThat(rng().driver()).contains("vfio-pci");
      assertThat(device.pci().config().vendorId()).isEqualTo(0x1af4);
    }
    assertThat(rng().driver()).contains("virtio-pci");
  }

  @Test
  void deviceThatSomebodyElseHasOpenIsNotGivenBackWhenItCannotBeOpened() throws IOException {
    try (DriverBinding _ = DriverBinding.bind(sysfs, Machine.RNG);
        VfioDevice _ = VfioDevice.open(Machine.RNG)) {
      assertThatThrownBy(() -> VfioDevice.bindAndOpen(Machine.RNG))
          .isInstanceOf(DeviceBusyException.class);
      assertThat(rng().driver()).contains("vfio-pci");
    }
  }

  @Test
  void deviceWithoutADriverIsLeftWithoutOne() throws IOException {
    try (DriverBinding binding = DriverBinding.bind(sysfs, Machine.EDU)) {
      assertThat(binding.formerDriver()).isEmpty();
      assertThat(sysfs.device(Machine.EDU).driver()).contains("vfio-pci");
    }
    assertThat(sysfs.device(Machine.EDU).driver()).isEmpty();
    assertThat(sysfs.driverOverride(sysfs.device(Machine.EDU))).isEmpty();
  }

  @Test
  void secondBindingChangesNothing() throws IOException {
    try (DriverBinding first = DriverBinding.bind(sysfs, Machine.RNG)) {
      try (DriverBinding second = DriverBinding.bind(sysfs, Machine.RNG)) {
        assertThat(second.device()).isEqualTo(first.device());
      }
      assertThat(rng().driver()).contains("vfio-pci");
    }
  }

  @Test
  void bindingThatSomebodyLeftBehindIsUndone() throws IOException {
    DriverBinding left = DriverBinding.bind(sysfs, Machine.RNG);

    PciDevice now = DriverBinding.unbind(sysfs, Machine.RNG).device();

    assertThat(now.driver()).contains("virtio-pci");
    assertThat(sysfs.driverOverride(now)).isEmpty();
    left.close();
    left.close();
  }

  @Test
  void deviceOfAnotherDriverIsNotUnbound() {
    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, Machine.RNG))
        .isInstanceOf(DeviceNotBoundException.class)
        .hasMessageContaining("virtio-pci");
  }

  @Test
  void bridgeIsRefused() throws IOException {
    PciAddress rootPort = PciAddress.of("0000:00:06.0");

    assertThatThrownBy(() -> DriverBinding.bind(sysfs, Machine.BRIDGE))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("it is a bridge");
    assertThatThrownBy(() -> DriverBinding.bind(sysfs, rootPort))
        .isInstanceOf(UnsupportedByKernelException.class);

    assertThat(sysfs.driverOverride(sysfs.device(Machine.BRIDGE))).isEmpty();
    assertThat(sysfs.device(rootPort).driver()).contains("pcieport");
  }

  @Test
  void deviceThatIsNotThereIsNamed() {
    PciAddress nowhere = PciAddress.of("0000:00:1e.7");

    assertThatThrownBy(() -> DriverBinding.bind(sysfs, nowhere))
        .isInstanceOf(NoSuchDeviceException.class)
        .hasMessageContaining("0000:00:1e.7");
    assertThatThrownBy(() -> DriverBinding.unbind(sysfs, nowhere))
        .isInstanceOf(NoSuchDeviceException.class);
  }
}
