package io.github.vfio4j.sysfs;

import io.github.vfio4j.DeviceNumber;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.RunningKernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The files of this host. Writing makes system calls, since Java's own files give the kernel's
 * answer only as words, in the user's language; reading needs none.
 */
final class RunningFiles implements KernelFiles {

  private static final int O_WRONLY = 1;
  private static final int O_CLOEXEC = 0x80000;

  /** Where it is written to in order to have the system calls linked. */
  private static final Path NOWHERE = Path.of("/dev/null");

  private boolean prepared;

  @Override
  public synchronized void prepareToWrite() throws VfioException {
    if (!prepared) {
      long _ = write(NOWHERE, "");
      prepared = true;
    }
  }

  @Override
  public long write(Path attribute, String value) throws VfioException {
    Kernel kernel = RunningKernel.get();
    int file = kernel.open(attribute.toString(), O_WRONLY | O_CLOEXEC);
    if (file < 0) {
      return file;
    }
    try (Arena arena = Arena.ofConfined()) {
      byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
      MemorySegment buffer = arena.allocate(bytes.length);
      buffer.copyFrom(MemorySegment.ofArray(bytes));
      return kernel.write(file, buffer);
    } finally {
      kernel.close(file);
    }
  }

  @Override
  public Optional<DeviceNumber> number(Path node) throws IOException {
    try {
      Number number = (Number) Files.getAttribute(node, "unix:rdev");
      return Optional.of(DeviceNumber.of(number.longValue()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
