package io.github.vfio4j.opening;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegistrationTest {
  private static final int ENODEV = -Errno.ENODEV.number();

  private final Iterator<Integer> answers = List.of(ENODEV, ENODEV, 7).iterator();

  @Test
  void waitsWhileTheDeviceIsShown() throws VfioException {
    assertThat(Registration.await(answers::next, () -> true)).isEqualTo(7);
  }

  @Test
  void doesNotWaitForADeviceThatHasGone() throws VfioException {
    assertThat(Registration.await(answers::next, () -> false)).isEqualTo(ENODEV);
    assertThat(answers.next()).isEqualTo(ENODEV);
  }

  @Test
  void waitsForNothingElse() throws VfioException {
    assertThat(Registration.await(() -> -Errno.ENOENT.number(), () -> true))
        .isEqualTo(-Errno.ENOENT.number());
  }

  @Test
  void givesUpAfterAWhile() throws VfioException {
    assertThat(Registration.await(() -> ENODEV, () -> true)).isEqualTo(ENODEV);
  }
}
