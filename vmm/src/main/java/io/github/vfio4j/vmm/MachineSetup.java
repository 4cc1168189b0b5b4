package io.github.vfio4j.vmm;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a virtual machine has, and what it boots. Immutable; each method that changes something
 * returns another one.
 *
 * @param kernel Linux, packed (a bzImage) or not (a vmlinux)
 * @param initrd its initial file system
 * @param commandLine its command line
 * @param memory bytes, whole pages
 * @param processors how many there are, up to 8
 * @param console where what the guest sends on its serial port is written, by the thread of the
 *     processor that sends: it waits where the stream does
 */
public record MachineSetup(
    Path kernel,
    Optional<Path> initrd,
    String commandLine,
    long memory,
    int processors,
    OutputStream console) {
  private static final long USUAL_MEMORY = 256L << 20;
  private static final long LEAST_MEMORY = 32L << 20;
  private static final long PAGE = 4096;
  private static final int MOST_PROCESSORS = 8;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if there is less than 32 MiB of memory, or it is not whole
   *     pages; or if there is no processor, or more than 8
   */
  public MachineSetup {
    if (memory < LEAST_MEMORY || memory % PAGE != 0) {
      throw new IllegalArgumentException(
          "memory is 32 MiB at least, and whole pages, not " + memory + " bytes");
    }
    if (processors < 1 || processors > MOST_PROCESSORS) {
      throw new IllegalArgumentException("there are 1 to 8 processors, not " + processors);
    }
  }

  /**
   * Returns a setup of one processor and 256 MiB, without initrd, whose console is not heard.
   *
   * @param kernel Linux, packed (a bzImage) or not (a vmlinux)
   * @return the setup
   */
  public static MachineSetup of(Path kernel) {
    return new MachineSetup(
        kernel,
        Optional.empty(),
        "console=ttyS0",
        USUAL_MEMORY,
        1,
        OutputStream.nullOutputStream());
  }

  /**
   * Returns the same with an initial file system.
   *
   * @param file a cpio archive, compressed or not
   * @return the other setup
   */
  public MachineSetup initrd(Path file) {
    return new MachineSetup(kernel, Optional.of(file), commandLine, memory, processors, console);
  }

  /**
   * Returns the same with another command line.
   *
   * @param text what the kernel is told; {@code console=ttyS0} has it talk on its console
   * @return the other setup
   */
  public MachineSetup commandLine(String text) {
    return new MachineSetup(kernel, initrd, text, memory, processors, console);
  }

  /**
   * Returns the same with another size of memory.
   *
   * @param bytes whole pages, 32 MiB at least
   * @return the other setup
   * @throws IllegalArgumentException as the constructor
   */
  public MachineSetup memory(long bytes) {
    return new MachineSetup(kernel, initrd, commandLine, bytes, processors, console);
  }

  /**
   * Returns the same with another number of processors.
   *
   * @param count from 1 to 8
   * @return the other setup
   * @throws IllegalArgumentException as the constructor
   */
  public MachineSetup processors(int count) {
    return new MachineSetup(kernel, initrd, commandLine, memory, count, console);
  }

  /**
   * Returns the same with another console.
   *
   * @param stream where what the guest sends is written, byte by byte
   * @return the other setup
   */
  public MachineSetup console(OutputStream stream) {
    return new MachineSetup(kernel, initrd, commandLine, memory, processors, stream);
  }

  byte[] initrdBytes() throws VfioException {
    if (initrd.isEmpty()) {
      return new byte[0];
    }
    try {
      return Files.readAllBytes(initrd.get());
    } catch (IOException e) {
      throw new VfioException("boot", initrd.get().toString(), null, "it cannot be read: " + e);
    }
  }
}
