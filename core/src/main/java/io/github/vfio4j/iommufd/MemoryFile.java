package io.github.vfio4j.iommufd;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.FileStatus;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.linux.Pages;
import io.github.vfio4j.mapping.OpenSpaces;
import io.github.vfio4j.opening.OpenNode;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.outcome.RunningKernel;
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
  private static final int MFD_HUGETLB = 4;
  private static final int MFD_HUGE_SHIFT = 26;
  private static final int F_SEAL_SEAL = 1;
  private static final int F_SEAL_SHRINK = 2;
  private static final int F_SEAL_GROW = 4;

  private final Fd file;
  private final Pages pages;
  private boolean closed;

  private MemoryFile(Fd file, Pages pages) {
    this.file = file;
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
    return create(RunningKernel.get(), name, size);
  }

  /**
   * Makes zeroed memory on huge pages with a file descriptor; {@code memfd_create} with {@code
   * MFD_HUGETLB}. They are those that the administrator has set aside ({@code
   * /sys/kernel/mm/hugepages}), and are this process's from then on.
   *
   * @param name what {@code /proc} calls it
   * @param size bytes, rounded up to whole huge pages
   * @param hugePageSize bytes: a size of pages that this machine has
   * @return the memory; the caller closes it
   * @throws IllegalArgumentException if the size is not positive, or that of the pages is not a
   *     power of two above that of a usual one
   * @throws VfioException if the kernel refuses: ENOMEM says that not so many pages are left,
   *     ENODEV that there are none of this size; nothing is left open then
   */
  public static MemoryFile createHuge(String name, long size, long hugePageSize)
      throws VfioException {
    return createHuge(RunningKernel.get(), name, size, hugePageSize);
  }

  static MemoryFile createHuge(Kernel kernel, String name, long size, long hugePageSize)
      throws VfioException {
    if (hugePageSize <= kernel.pageSize() || Long.bitCount(hugePageSize) != 1) {
      throw new IllegalArgumentException(
          "a huge page is a power of two of more than %d bytes, not %d"
              .formatted(kernel.pageSize(), hugePageSize));
    }
    int logarithm = Long.numberOfTrailingZeros(hugePageSize);
    return create(kernel, name, size, hugePageSize, MFD_HUGETLB | logarithm << MFD_HUGE_SHIFT);
  }

  static MemoryFile create(Kernel kernel, String name, long size) throws VfioException {
    return create(kernel, name, size, kernel.pageSize(), 0);
  }

  private static MemoryFile create(Kernel kernel, String name, long size, long page, int flags)
      throws VfioException {
    if (size <= 0 || size > Long.MAX_VALUE - page) {
      throw new IllegalArgumentException("size must be positive, and fit into memory: " + size);
    }
    long whole = Alignment.up(size, page);
    String object = "memory file " + name;
    try (Rollback rollback = new Rollback()) {
      Fd file = new Fd(kernel, object);
      rollback.add(file::close);
      int fd = file.take(kernel.memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flags));
      Answer.require("memfd_create", object, fd, "");
      Answer.require("ftruncate", object, kernel.ftruncate(fd, whole), "");
      int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW;
      Answer.require("fcntl", object, kernel.addSeals(fd, seals), "");
      Pages pages = new Pages(kernel);
      rollback.add(pages::free);
      Answer.require("mmap", object, pages.mapShared(whole, fd), "");
      return rollback.done(new MemoryFile(file, pages));
    }
  }

  /**
   * Uses memory that another process has made and passed to this one.
   *
   * @param fd the number of its open file; it is duplicated, so the caller's stays the caller's
   * @return the memory; the caller closes it
   * @throws VfioException if it is not a memory file, if its size is not fixed, as an {@linkplain
   *     #create own one's} is (a reader of memory that was taken away would fail), or if the kernel
   *     refuses otherwise
   */
  public static MemoryFile ofFd(int fd) throws VfioException {
    return ofFd(RunningKernel.get(), fd);
  }

  static MemoryFile ofFd(Kernel kernel, int fd) throws VfioException {
    String object = "passed memory file " + fd;
    try (Rollback rollback = new Rollback()) {
      Fd file = rollback.make(() -> OpenNode.duplicate(kernel, fd, object), Fd::close);
      int seals = file.call(kernel::getSeals);
      Answer.require("fcntl", object, seals, "it is not a memory file");
      if ((seals & F_SEAL_SHRINK) == 0) {
        throw new VfioException(
            "fcntl",
            object,
            null,
            "whoever has the file may take its memory away: it is not sealed");
      }
      int number = file.acquire();
      try {
        FileStatus status = FileStatus.of(kernel, number);
        Answer.require("statx", object, status.answer(), "");
        if (status.size() <= 0 || !Alignment.isMultiple(status.size(), kernel.pageSize())) {
          throw new VfioException(
              "statx", object, null, status.size() + " bytes are not whole pages");
        }
        Pages pages = new Pages(kernel);
        rollback.add(pages::free);
        Answer.require("mmap", object, pages.mapShared(status.size(), number), "");
        return rollback.done(new MemoryFile(file, pages));
      } finally {
        file.release();
      }
    }
  }

  /**
   * Lends the file.
   *
   * @return the file
   */
  @SuppressWarnings("exports") // for the packages of this module
  public Fd file() {
    return file;
  }

  /**
   * Returns the number of the file, to be passed on. It is this object's: do not close it.
   *
   * @return the descriptor
   * @throws IllegalStateException if it is closed
   */
  public int fd() {
    int fd = file.acquire();
    file.release();
    return fd;
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
   * Takes the memory out of this process, once it is mapped in no address space any more, and
   * closes the file. Later calls do nothing.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    Answer.require("munmap", file.object(), OpenSpaces.free(pages), "");
    closed = true;
    Answer.require("close", file.object(), file.close(), "");
  }

  /** Returns its name and its size, and whether it is closed. */
  @Override
  public String toString() {
    String ended = file.isClosed() ? ", closed" : "";
    return "%s of 0x%x bytes%s".formatted(file.object(), size(), ended);
  }
}
