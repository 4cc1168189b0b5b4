package io.github.vfio4j.vmm.x86;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A kernel in a file, to be entered in 64-bit mode (Documentation/arch/x86/boot): a {@link
 * BzImage}, or a {@link Vmlinux}.
 */
sealed interface KernelImage permits BzImage, Vmlinux {
  /** Where the header begins, in the image and in what the kernel is told. */
  int HEADER = 0x1f1;

  /** The magic number of the header, and where it is. */
  int MAGIC = 0x202;

  int HDRS = 0x53726448;

  /** What of the kernel goes where. */
  record Part(long address, ByteBuffer bytes) {}

  /**
   * Reads one of either kind.
   *
   * @throws VfioException if it cannot be read, or cannot be entered so
   */
  static KernelImage read(Path file) throws VfioException {
    ByteBuffer bytes;
    try {
      bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(LITTLE_ENDIAN);
    } catch (IOException e) {
      throw unfit(file, "it cannot be read: " + e);
    }
    if (BzImage.is(bytes)) {
      return BzImage.of(file, bytes);
    }
    if (Vmlinux.is(bytes)) {
      return Vmlinux.of(file, bytes);
    }
    throw unfit(file, "it is not a kernel for x86 (a bzImage, or a vmlinux)");
  }

  /** Describes why a file is not booted. */
  static VfioException unfit(Path file, String why) {
    return new VfioException("boot", file.toString(), null, why);
  }

  /** Returns the header that the kernel finds its parameters in, from {@link #HEADER} on. */
  byte[] header();

  /** Returns what is loaded. */
  List<Part> parts();

  /** Returns the first address of what it needs. */
  long start();

  /** Returns the address after all that it needs until it runs. */
  long end();

  /** Returns where it is entered. */
  long entry();

  /** Returns the last address that its initrd may have. */
  long initrdLimit();

  /** Returns how long its command line may be, in bytes. */
  int commandLineLimit();
}
