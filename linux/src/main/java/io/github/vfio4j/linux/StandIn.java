package io.github.vfio4j.linux;

import org.jspecify.annotations.Nullable;

/**
 * What takes the place of closed device mappings: a file in memory that has no name, as long as the
 * longest of them, of which only pages that are written exist. A process has one and keeps it, so
 * that closing needs no descriptor that may be wanting by then.
 */
final class StandIn {
  static final StandIn OF_PROCESS = new StandIn();

  private static final int PROT_READ_WRITE = 3;
  private static final int MAP_SHARED = 0x01;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MFD_CLOEXEC = 1;

  private int fd = -1;
  private long size;

  /**
   * Makes it so long that a mapping of that size can be closed.
   *
   * @return why it cannot be, or null
   */
  synchronized @Nullable Refusal prepare(Kernel kernel, long wanted) {
    if (fd < 0) {
      fd = kernel.memfdCreate("closed device mapping", MFD_CLOEXEC);
      if (fd < 0) {
        return new Refusal("memfd_create", fd);
      }
    }
    if (size < wanted) {
      int answer = kernel.ftruncate(fd, wanted);
      if (answer < 0) {
        return new Refusal("ftruncate", answer);
      }
      size = wanted;
    }
    return null;
  }

  /**
   * Takes the place of a mapping that it was prepared for, in one step.
   *
   * @return why the mapping is still there, or null
   */
  synchronized @Nullable Refusal replace(Kernel kernel, long address, long length) {
    int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
    long answer = kernel.mmap(address, length, PROT_READ_WRITE, flags, fd, 0);
    return answer < 0 ? new Refusal("mmap", (int) answer) : null;
  }
}
