package io.github.vfio4j.kerneltests.mock;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.mock.Mock;
import java.lang.foreign.MemorySegment;
import org.assertj.core.api.Assertions;

/** Calls that the library would not make, on its own structures. */
final class Raw {
  private Raw() {}

  static int ioctl(Mock mock, Ioctl operation, MemorySegment argument) {
    return Kernel.running().ioctl(mock.descriptor(), operation.number(), argument);
  }

  static int ioctl(Mock mock, Ioctl operation, long argument) {
    return Kernel.running().ioctl(mock.descriptor(), operation.number(), argument);
  }

  static void assertRefused(Errno errno, Mock mock, Ioctl operation, MemorySegment argument) {
    assertAnswer(-errno.number(), ioctl(mock, operation, argument), operation);
  }

  static void assertDone(Mock mock, Ioctl operation, MemorySegment argument) {
    assertAnswer(0, ioctl(mock, operation, argument), operation);
  }

  static void assertAnswer(int expected, int answer, Ioctl operation) {
    Assertions.assertThat(answer).as(operation.name()).isEqualTo(expected);
  }
}
