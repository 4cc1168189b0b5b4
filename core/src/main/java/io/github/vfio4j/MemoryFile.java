package io.github.vfio4j;

import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import java.lang.foreign.MemorySegment;

/**
 * Memory that has a file descriptor (a memfd): it can be mapped for devices through {@link
 * Ioas#mapFile}, outlive this process's view of it, and be passed to other processes.
 *
 * <p>Its size is fixed: the file is sealed, so that nobody who has it can take pages away under a
 * reader. Thread-safe. Closing it leaves what devices have mapped.
 */
public final class MemoryFile implements AutoCloseable {
  private static final int MFD_CLOEXEC = 1;
  private static final int MFD_ALLOW_SEALING = 2;
  private static final int F_SEAL_SEAL = 1;
  private static final int F_SEAL_SHRINK = 2;
  private static final int F_SEAL_GROW = 4;

  private final Fd fd;
  private final Pages pages;
  private boolean closed;

  private MemoryFile(Fd fd, Pages pages) {
    this.fd = fd;
    this.pages = pages;
  }

  /**
   * Makes zeroed memory with a file descriptor; {@code memfd_create}.
   *
   * @param name what {@code /proc} calls it
   * @param size bytes, rounded up to whole pages
   * @return the memory; the caller closes it
   * @throws IllegalArgumentException if the size is not positive
   * @throws VfioException if the kernel refuses; nothing is left open then
   */
  public static MemoryFile create(String name, long size) throws VfioException {
    return create(Kernel.running(), name, size);
  }

  static MemoryFile create(Kernel kernel, String name, long size) throws VfioException {
    long partial = kernel.pageSize() - 1L;
    if (size <= 0 || size > Long.MAX_VALUE - partial) {
      throw new IllegalArgumentException("Not a size to allocate: " + size);
    }
    long whole = size + partial & ~partial;
    String object = "memory file " + name;
    int number = kernel.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (number < 0) {
      throw Failure.of("memfd_create", object, number, "");
    }
    Fd fd = new Fd(kernel, number, object);
    try {
      check("ftruncate", object, kernel.ftruncate(number, whole));
      check("fcntl", object, kernel.addSeals(number, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW));
      long address = Pages.requestShared(kernel, whole, number);
      check("mmap", object, address);
      return new MemoryFile(fd, Pages.at(kernel, address, whole));
    } catch (VfioException | RuntimeException e) {
      fd.close();
      throw e;
    }
  }

  private static void check(String operation, String object, long answer) throws VfioException {
    if (answer < 0) {
      throw Failure.of(operation, object, (int) answer, "");
    }
  }

  /** Lends the number of the file. */
  Fd fd() {
    return fd;
  }

  /**
   * Returns the number of the file, to be passed on. It is this object's: do not close it.
   *
   * @return the descriptor
   * @throws IllegalStateException if it is closed
   */
  public int descriptor() {
    int number = fd.acquire();
    fd.release();
    return number;
  }

  /**
   * Returns the memory as this process sees it.
   *
   * @return {@link #size} bytes; using them after {@link #close} throws {@link
   *     IllegalStateException}
   */
  public MemorySegment segment() {
    return pages.segment();
  }

  /**
   * Returns how large the memory is.
   *
   * @return bytes, a multiple of the page size
   */
  public long size() {
    return pages.segment().byteSize();
  }

  /**
   * Takes the memory out of this process and closes the file. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    closed = true;
    int unmapped = pages.free();
    int answer = fd.close();
    check("munmap", fd.object(), unmapped);
    check("close", fd.object(), answer);
  }
}
