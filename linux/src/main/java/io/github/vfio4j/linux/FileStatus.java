package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What kind of file an open one is: of {@code statx} what tells device nodes apart.
 *
 * @param answer 0, or the kernel's negated error number
 * @param characterDevice whether it is the node of a character device
 * @param major the driver's part of the device number
 * @param minor the device's part
 * @param size bytes of an ordinary file
 */
public record FileStatus(int answer, boolean characterDevice, int major, int minor, long size) {
  private static final int SIZE = 256;
  private static final int FILE_SIZE = 40;
  private static final int MODE = 28;
  private static final int RDEV_MAJOR = 128;
  private static final int RDEV_MINOR = 132;
  private static final int S_IFMT = 0xf000;
  private static final int S_IFCHR = 0x2000;

  public static FileStatus of(Kernel kernel, int fd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment status = arena.allocate(SIZE, Long.BYTES);
      int answer = kernel.statx(fd, status);
      return new FileStatus(
          Math.min(answer, 0),
          (status.get(JAVA_SHORT, MODE) & S_IFMT) == S_IFCHR,
          status.get(JAVA_INT, RDEV_MAJOR),
          status.get(JAVA_INT, RDEV_MINOR),
          status.get(JAVA_LONG, FILE_SIZE));
    }
  }
}
