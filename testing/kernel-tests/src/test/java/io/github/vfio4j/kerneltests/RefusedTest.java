package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceNotBoundException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.DriverBinding;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What cannot be opened is refused in words that say what is missing. */
@OnMachine(OnMachine.IOMMU)
class RefusedTest {
  @EachBackend
  void deviceThatIsNotThereIsNamed(Backend backend) {
    PciAddress nowhere = PciAddress.of("0000:00:1e.7");

    assertThatThrownBy(() -> VfioDevice.open(nowhere, backend))
        .isInstanceOf(NoSuchDeviceException.class)
        .hasMessageContaining("0000:00:1e.7");
    assertThatThrownBy(() -> VfioDevice.open(nowhere)).isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> VfioDevice.open(Path.of("/sys/bus/pci/devices/" + nowhere)))
        .isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> VfioDevice.open(Path.of("/sys/bus/pci")))
        .isInstanceOf(NoSuchDeviceException.class);
    assertThatThrownBy(() -> VfioDevice.open(Path.of("/dev/vfio/devices/vfio99")))
        .isInstanceOf(NoSuchDeviceException.class)
        .hasMessageContaining("/dev/vfio/devices/vfio99");
  }

  @EachBackend
  void deviceWithoutAVfioDriverSaysWhichItHas(Backend backend) {
    assertThatThrownBy(() -> VfioDevice.open(Machine.EDU, backend))
        .isInstanceOf(DeviceNotBoundException.class)
        .hasMessageContaining("no driver is bound to it");
    assertThatThrownBy(() -> VfioDevice.open(Machine.RNG, backend))
        .isInstanceOf(DeviceNotBoundException.class)
        .hasMessageContaining("bound to virtio-pci");
    assertThatThrownBy(() -> VfioDevice.open(Machine.RNG))
        .isInstanceOf(DeviceNotBoundException.class)
        .hasMessageContaining("bound to virtio-pci");
  }

  @EachBackend
  @OnMachine({"intel", "amd"})
  @Bound(Device.BRIDGED_EDU)
  void neighbourWithAKernelDriverIsNamed(Backend backend) throws IOException {
    assertThatThrownBy(() -> VfioDevice.open(Machine.BRIDGED_EDU, backend))
        .isInstanceOf(DeviceNotBoundException.class)
        .hasMessageContaining("not viable")
        .hasMessageContaining("0000:03:03.0 is bound to virtio-pci");

    try (var _ = DriverBinding.bind(Sysfs.host(), Machine.BRIDGED_RNG)) {
      VfioDevice.open(Machine.BRIDGED_EDU, backend).close();
    }
    assertThatThrownBy(() -> VfioDevice.open(Machine.BRIDGED_EDU, backend))
        .isInstanceOf(DeviceNotBoundException.class);
  }

  @Test
  @OnMachine(before = "6.2")
  @Bound(Device.EDU)
  void oldKernelSaysThatItHasNoIommufd() throws IOException {
    assertThatThrownBy(() -> VfioDevice.open(Machine.EDU, Backend.IOMMUFD))
        .isInstanceOfSatisfying(
            UnsupportedByKernelException.class,
            e -> {
              assertThat(e.operation()).isEqualTo("open");
              assertThat(e.object()).isEqualTo("/dev/iommu");
              assertThat(e.errno()).contains(Errno.ENOENT);
              assertThat(e).hasMessageContaining("Linux 6.2 with CONFIG_IOMMUFD");
            });
    assertThatThrownBy(Iommufd::open).isInstanceOf(UnsupportedByKernelException.class);
    assertThatThrownBy(() -> Iommufd.ofFd(0)).isInstanceOf(UnsupportedByKernelException.class);
  }
}
