package io.github.vfio4j.vmm;

import io.github.vfio4j.VfioException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * What a virtual machine has, and what it boots. Immutable; each method that changes something
 * returns another one.
 */
public final class MachineSetup {
  private static final long USUAL_MEMORY = 256L << 20;
  private static final long LEAST_MEMORY = 32L << 20;
  private static final long PAGE = 4096;
  private static final int MOST_PROCESSORS = 8;

  private final Path kernel;
  private @Nullable Path initrd;
  private String commandLine = "console=ttyS0";
  private long memory = USUAL_MEMORY;
  private int processors = 1;
  private OutputStream console = OutputStream.nullOutputStream();
  private List<DeviceSetup> devices = List.of();
  private OptionalInt iommufd = OptionalInt.empty();
  private boolean endingOnReset;

  private MachineSetup(Path kernel) {
    this.kernel = kernel;
  }

  /** Copies all, for one thing to be changed in it. */
  private MachineSetup(MachineSetup other) {
    this.kernel = other.kernel;
    this.initrd = other.initrd;
    this.commandLine = other.commandLine;
    this.memory = other.memory;
    this.processors = other.processors;
    this.console = other.console;
    this.devices = other.devices;
    this.iommufd = other.iommufd;
    this.endingOnReset = other.endingOnReset;
  }

  /**
   * Returns a setup of one processor and 256 MiB, without initrd and devices, whose console is not
   * heard.
   *
   * @param kernel Linux, packed (a bzImage) or not (a vmlinux)
   * @return the setup
   */
  public static MachineSetup of(Path kernel) {
    return new MachineSetup(kernel);
  }

  /**
   * Returns the same with an initial file system.
   *
   * @param file a cpio archive, compressed or not
   * @return the other setup
   */
  public MachineSetup initrd(Path file) {
    MachineSetup other = new MachineSetup(this);
    other.initrd = file;
    return other;
  }

  /**
   * Returns the same with another command line.
   *
   * @param text what the kernel is told; {@code console=ttyS0} has it talk on its console
   * @return the other setup
   */
  public MachineSetup commandLine(String text) {
    MachineSetup other = new MachineSetup(this);
    other.commandLine = text;
    return other;
  }

  /**
   * Returns the same with another size of memory.
   *
   * @param bytes whole pages, 32 MiB at least
   * @return the other setup
   * @throws IllegalArgumentException if there is less, or they are not whole pages
   */
  public MachineSetup memory(long bytes) {
    if (bytes < LEAST_MEMORY || bytes % PAGE != 0) {
      throw new IllegalArgumentException(
          "memory is 32 MiB at least, and whole pages, not " + bytes + " bytes");
    }
    MachineSetup other = new MachineSetup(this);
    other.memory = bytes;
    return other;
  }

  /**
   * Returns the same with another number of processors.
   *
   * @param count from 1 to 8
   * @return the other setup
   * @throws IllegalArgumentException if there is none, or there are more
   */
  public MachineSetup processors(int count) {
    if (count < 1 || count > MOST_PROCESSORS) {
      throw new IllegalArgumentException("there are 1 to 8 processors, not " + count);
    }
    MachineSetup other = new MachineSetup(this);
    other.processors = count;
    return other;
  }

  /**
   * Returns the same with another console.
   *
   * @param stream where what the guest sends on its serial port is written, by the thread of the
   *     processor that sends: it waits where the stream does
   * @return the other setup
   */
  public MachineSetup console(OutputStream stream) {
    MachineSetup other = new MachineSetup(this);
    other.console = stream;
    return other;
  }

  /**
   * Returns the same with a device more.
   *
   * @param device which one, and how
   * @return the other setup
   */
  public MachineSetup device(DeviceSetup device) {
    MachineSetup other = new MachineSetup(this);
    other.devices = new ArrayList<>(devices);
    other.devices.add(device);
    return other;
  }

  /**
   * Returns the same with an iommufd that somebody else has opened, for devices by cdev.
   *
   * @param fd the open file's number; it is duplicated, so the caller's stays the caller's
   * @return the other setup
   */
  public MachineSetup iommufd(int fd) {
    MachineSetup other = new MachineSetup(this);
    other.iommufd = OptionalInt.of(fd);
    return other;
  }

  /**
   * Returns the same that ends when the guest asks for a reset, instead of beginning anew.
   *
   * @return the other setup
   */
  public MachineSetup endingOnReset() {
    MachineSetup other = new MachineSetup(this);
    other.endingOnReset = true;
    return other;
  }

  Path kernel() {
    return kernel;
  }

  String commandLine() {
    return commandLine;
  }

  long memory() {
    return memory;
  }

  int processors() {
    return processors;
  }

  OutputStream console() {
    return console;
  }

  List<DeviceSetup> devices() {
    return devices;
  }

  OptionalInt iommufd() {
    return iommufd;
  }

  boolean isEndingOnReset() {
    return endingOnReset;
  }

  byte[] initrdBytes() throws VfioException {
    if (initrd == null) {
      return new byte[0];
    }
    try {
      return Files.readAllBytes(initrd);
    } catch (IOException e) {
      throw new VfioException("boot", initrd.toString(), null, "it cannot be read: " + e);
    }
  }

  /** Returns what is booted on what. */
  @Override
  public String toString() {
    return "%s on %d processors and %d MiB, devices %s"
        .formatted(kernel, processors, memory >> 20, devices);
  }
}
