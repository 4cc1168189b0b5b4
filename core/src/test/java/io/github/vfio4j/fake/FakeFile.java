package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Ioctl;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is open: one kind of file each, with its own answers. What a kind cannot do is refused. */
abstract class FakeFile {
  private final List<String> prefixes;

  /** Takes how the names of the ioctls begin that this kind has. */
  FakeFile(String... prefixes) {
    this.prefixes = List.of(prefixes);
  }

  static int refused(Errno errno) {
    return -errno.number();
  }

  /** Returns what a number means to this kind of file; other kinds may use it for another ioctl. */
  @Nullable Ioctl operation(int number) {
    for (Ioctl operation : Ioctl.values()) {
      if (operation.number() == number
          && prefixes.stream().anyMatch(operation.name()::startsWith)) {
        return operation;
      }
    }
    return null;
  }

  int ioctl(Ioctl operation, MemorySegment argument) {
    return refused(Errno.ENOTTY);
  }

  int ioctl(Ioctl operation, long argument) {
    return refused(Errno.ENOTTY);
  }

  long read(int fd, MemorySegment buffer) {
    return refused(Errno.EINVAL);
  }

  long write(int fd, MemorySegment buffer) {
    return refused(Errno.EINVAL);
  }

  long pread(MemorySegment buffer, long offset) {
    return refused(Errno.EINVAL);
  }

  long pwrite(MemorySegment buffer, long offset) {
    return refused(Errno.EINVAL);
  }

  long mmap(int fd, long address, long length, int protection, int flags, long offset) {
    return refused(Errno.ENODEV);
  }

  /** Is told that the last descriptor was closed. */
  void closed() {}

  /** Tells in words what is in it that a test must not leave behind. */
  List<String> left() {
    return List.of();
  }
}
