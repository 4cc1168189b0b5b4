package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Asserts what the kernel refuses, and with which number. */
public final class RefusalAssertions {
  public static final Errno EBADE = new Errno(52);

  private RefusalAssertions() {}

  public static void assertRefused(Errno errno, ThrowingCallable step) {
    assertRefused(VfioException.class, errno, step);
  }

  public static <E extends VfioException> E assertRefused(
      Class<E> kind, Errno errno, ThrowingCallable step) {
    E refusal = catchThrowableOfType(kind, step);
    assertThat(refusal).as("it is not refused").isNotNull();
    assertThat(refusal.errno()).as(refusal.getMessage()).contains(errno);
    return refusal;
  }
}
