package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.linux.Ioctl;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionTest {
  @TempDir Path root;

  @Test
  void aRegionThatTheDeviceDoesNotHaveIsEmpty() throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      machine.kernel.fail(Ioctl.VFIO_DEVICE_GET_REGION_INFO, Errno.EINVAL);

      Region vga = device.region(8);

      assertThat(vga.info().index()).isEqualTo(8);
      assertThat(vga.size()).isZero();
      assertThatThrownBy(() -> vga.readByte(0)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void anyOtherRefusalIsThrown() throws VfioException {
    FakeMachine machine = new FakeMachine(root);
    try (VfioDevice device = machine.open(Backend.IOMMUFD)) {
      machine.kernel.fail(Ioctl.VFIO_DEVICE_GET_REGION_INFO, Errno.EIO);

      assertThatThrownBy(() -> device.region(8))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining("EIO");
    }
  }
}
