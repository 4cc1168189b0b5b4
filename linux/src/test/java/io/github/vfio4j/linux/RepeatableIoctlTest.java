package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ioctl that captures no error number at first tells it all the same. */
final class RepeatableIoctlTest {
  private static final int FIONREAD = 0x541b;
  private static final int ENOTTY = 25;
  private static final int EBADF = 9;

  private final Kernel kernel = Kernel.running();
  private final MemorySegment argument = Arena.ofAuto().allocate(JAVA_INT);

  @Test
  void answersAsTheKernelDoes(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "12345");
    int fd = kernel.open(file.toString(), 0);
    try {
      assertThat(kernel.repeatableIoctl(fd, FIONREAD, argument)).isZero();
      assertThat(argument.get(JAVA_INT, 0)).isEqualTo(5);
    } finally {
      kernel.close(fd);
    }
  }

  @Test
  void hasTheErrorNumber() {
    assertThat(kernel.repeatableIoctl(-1, FIONREAD, argument)).isEqualTo(-EBADF);
    int eventfd = kernel.eventfd(0, 0);
    try {
      assertThat(kernel.repeatableIoctl(eventfd, FIONREAD, argument)).isEqualTo(-ENOTTY);
    } finally {
      kernel.close(eventfd);
    }
  }
}
