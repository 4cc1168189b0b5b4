package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** The description of the hardware behind a device. */
@OnMachine(value = "bare", since = "7.0")
class HwInfoTest {
  private static void assertMock(HwInfo info) {
    assertThat(info.data().type()).isEqualTo(MockData.HW_INFO);
    byte[] bytes = info.data().bytes();
    ByteBuffer data = ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
    assertThat(data.remaining()).isEqualTo(8);
    assertThat(data.getInt(4)).isEqualTo(MockData.HW_INFO_REGISTER);
  }

  @Test
  void saysWhichIommuAndWhatTheDeviceCan() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      MockDevice device = space.device();
      assertMock(HwInfo.of(device));
      assertMock(HwInfo.of(device, MockData.HW_INFO));
      assertThat(HwInfo.of(device).pasidBits()).isZero();
      assertRefused(
          UnsupportedByKernelException.class,
          Errno.EOPNOTSUPP,
          () -> HwInfo.of(device, MockData.HW_INFO + 1));

      MockDevice withPasids =
          MockDevice.attach(space.mock(), space.ioas(), MockDevice.PASID | MockDevice.NO_DIRTY);
      assertMock(HwInfo.of(withPasids));
      assertThat(HwInfo.of(withPasids).pasidBits()).isEqualTo(MockDevice.PASID_BITS);
    }
  }

  @Test
  void isNotToBeHadOfADeviceThatIsGone() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      space.device().close();

      assertRefused(Errno.ENOENT, () -> HwInfo.of(space.device()));
    }
  }

  @Test
  void saysWhetherThereAreDirtyBits() throws IOException {
    try (MockSpace space = MockSpace.open(1)) {
      assertThat(HwInfo.of(space.device()).dirtyTracking()).isTrue();
      assertThat(HwInfo.of(space.device()).atsNotSupported()).isTrue();

      MockDevice without = MockDevice.attach(space.mock(), space.ioas(), MockDevice.NO_DIRTY);

      assertThat(HwInfo.of(without).dirtyTracking()).isFalse();
    }
  }
}
