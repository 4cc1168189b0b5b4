package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static io.github.vfio4j.kerneltests.mock.Memory.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.DmaMapping;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaInUseException;
import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockDmabuf;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Memory that is no process's is mapped by its descriptor, and can be taken away. */
@OnMachine(value = "bare", since = "7.0")
class DmabufTest {
  private static final long SIZE = 4 * PAGE;

  @ParameterizedTest
  @EnumSource
  void isMappedWithinItsSize(Setup setup) throws IOException {
    try (MockSpace space = setup.open();
        MockDmabuf dmabuf = MockDmabuf.create(space.mock(), SIZE)) {
      Ioas ioas = space.ioas();
      int file = dmabuf.descriptor();
      assertThatIllegalArgumentException().isThrownBy(() -> ioas.mapFile(file, 0, 0, READ_WRITE));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.mapFile(file, 0, SIZE + 1, READ_WRITE));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(file, SIZE, SIZE, READ_WRITE));
      assertRefused(Errno.EINVAL, () -> ioas.mapFile(file, 0, SIZE + PAGE, READ_WRITE));

      DmaMapping mapping = ioas.mapFile(file, 0, SIZE, READ_WRITE);
      assertThat(mapping.size()).isEqualTo(SIZE);
      assertRefusedOverIt(ioas, file, mapping);
      mapping.close();
      ioas.mapFile(file, PAGE, mapping.iova(), SIZE - PAGE, READ_WRITE);
    }
  }

  private static void assertRefusedOverIt(Ioas ioas, int file, DmaMapping mapping) {
    org.assertj.core.api.Assertions.assertThatExceptionOfType(IovaInUseException.class)
        .isThrownBy(() -> ioas.mapFile(file, 0, mapping.iova() + PAGE, PAGE, READ_WRITE));
  }

  @ParameterizedTest
  @EnumSource
  void isNotMappedWhileItIsTakenAway(Setup setup) throws IOException {
    try (MockSpace space = setup.open();
        MockDmabuf dmabuf = MockDmabuf.create(space.mock(), SIZE)) {
      Ioas ioas = space.ioas();
      int file = dmabuf.descriptor();
      DmaMapping mapping = ioas.mapFile(file, 0, SIZE, READ_WRITE);
      dmabuf.revoke();
      if (!space.devices().isEmpty()) {
        ioas.allocateHwpt(space.device()); // holds nothing of it
      }
      assertRefused(
          NoSuchDeviceException.class, Errno.ENODEV, () -> ioas.mapFile(file, 0, SIZE, READ_WRITE));

      dmabuf.restore();
      DmaMapping again = ioas.mapFile(file, 0, SIZE, READ_WRITE);
      assertThat(again.iova()).isNotEqualTo(mapping.iova());
      mapping.close();
      ioas.mapFile(file, 0, mapping.iova(), SIZE, READ_WRITE);
    }
  }
}
