package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that capture no error number at first tell it all the same. */
final class RepeatableCallsTest {
  private static final int FIONREAD = 0x541b;
  private static final int ENOTTY = 25;
  private static final int EBADF = 9;
  private static final int EAGAIN = 11;
  private static final int EINVAL = 22;
  private static final int EFD_NONBLOCK = 0x800;
  private static final short POLLIN = 1;

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

  @Test
  void readsLikewise() {
    MemorySegment counter = Arena.ofAuto().allocate(JAVA_LONG);
    assertThat(kernel.repeatableRead(-1, counter)).isEqualTo(-EBADF);
    int eventfd = kernel.eventfd(3, EFD_NONBLOCK);
    try {
      assertThat(kernel.repeatableRead(eventfd, counter)).isEqualTo(8);
      assertThat(counter.get(JAVA_LONG, 0)).isEqualTo(3);
      assertThat(kernel.repeatableRead(eventfd, counter)).isEqualTo(-EAGAIN);
    } finally {
      kernel.close(eventfd);
    }
  }

  @Test
  void pollsLikewise() {
    MemorySegment polled = Arena.ofAuto().allocate(8);
    MemorySegment timeout = Arena.ofAuto().allocate(16);
    int eventfd = kernel.eventfd(1, 0);
    try {
      polled.set(JAVA_INT, 0, eventfd);
      polled.set(JAVA_SHORT, 4, POLLIN);
      assertThat(kernel.repeatablePoll(polled, 1, timeout)).isEqualTo(1);
      assertThat(kernel.repeatablePoll(polled, 0, timeout)).isZero();
      timeout.set(JAVA_LONG, 0, -1);
      assertThat(kernel.repeatablePoll(polled, 1, timeout)).isEqualTo(-EINVAL);
      assertThat(kernel.repeatablePoll(polled, 1, MemorySegment.NULL)).isEqualTo(1);
    } finally {
      kernel.close(eventfd);
    }
  }
}
