package io.github.vfio4j.dmabuf;

import io.github.vfio4j.Errno;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.linux.Alignment;
import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Dependents;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * Memory of a device as an open file: a dma-buf of the kernel's.
 *
 * <p>Its descriptor can be handed to whatever takes dma-bufs: {@link
 * io.github.vfio4j.iommufd.Ioas#mapFile}, another subsystem, another process. The memory behind it
 * goes when the device is closed or, of registers, is reset, however many descriptors there are.
 *
 * <p>Thread-safe. The device closes it before itself; after that its methods throw {@link
 * IllegalStateException}.
 */
public final class DmaBuf implements AutoCloseable {
  private static final int READ = 1;
  private static final int END = 1 << 2;

  private final OpenDevice device;
  private final Fd file;
  private final long size;
  private final Dependents mappings = new Dependents();

  /** Held while it is mapped, and while it is closed. */
  private final Object mapLock = new Object();

  private DmaBuf(OpenDevice device, Fd file, long size) {
    this.device = device;
    this.file = file;
    this.size = size;
  }

  /**
   * For the packages of this module.
   *
   * @param device whose memory it is, which closes it before itself
   * @param name what messages call it
   * @param size bytes
   * @param opening has the kernel open it, and returns the descriptor
   * @return the file
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the kernel refuses
   */
  @SuppressWarnings("exports") // for the packages of this module
  public static DmaBuf open(
      OpenDevice device, String name, long size, Rollback.Making<Integer> opening)
      throws VfioException {
    try (Rollback rollback = new Rollback()) {
      DmaBuf opened = new DmaBuf(device, new Fd(device.kernel(), name), size);
      rollback.add(opened::close);
      device.own(Ending.FIRST, opened, opened::close);
      opened.file.take(opening.run());
      return rollback.done(opened);
    }
  }

  /** Lends the file. */
  Fd file() {
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
   * Returns how large the memory is.
   *
   * @return bytes
   */
  public long size() {
    return size;
  }

  /**
   * Maps it into this process for reading; {@code mmap} on the file. Between {@link #beginRead} and
   * {@link #endRead} the memory is as the device has left it.
   *
   * @return the mapping, which can only be loaded from; it is the caller's, and closed with this at
   *     the latest
   * @throws VfioException if the kernel refuses, as it does with EINVAL what cannot be mapped so: a
   *     part of a device's registers (map its region instead), memory that is not whole pages, and
   *     what drivers open for nobody's eyes, as Linux's sample {@code mbochs} does
   */
  public MappedRegion map() throws VfioException {
    Kernel kernel = device.kernel();
    synchronized (mapLock) {
      int fd = file.acquire();
      try (Rollback rollback = new Rollback()) {
        DeviceMapping pages =
            new DeviceMapping(kernel, Alignment.up(size, kernel.pageSize()), true, false);
        MappedRegion mapped =
            rollback.make(
                () -> MappedMemory.map(fd, 0, pages, mappings::remove, file.object(), 0, size),
                MappedRegion::close);
        mappings.add(mapped, mapped::close);
        return rollback.done(mapped);
      } catch (VfioException e) {
        throw Errno.EINVAL.equals(e.errno().orElse(null)) ? notMappable(e) : e;
      } finally {
        file.release();
      }
    }
  }

  private VfioException notMappable(VfioException refusal) {
    VfioException explained =
        new VfioException(
            "mmap",
            file.object(),
            Errno.EINVAL,
            "the driver that has made it lets no process map it, or not a part of a page; other"
                + " subsystems may take its descriptor");
    explained.initCause(refusal);
    return explained;
  }

  /**
   * Makes what the device has written visible to this process; {@code DMA_BUF_IOCTL_SYNC}. It does
   * not wait for the device.
   *
   * @throws VfioException if the kernel refuses
   */
  public void beginRead() throws VfioException {
    synchronize(READ);
  }

  /**
   * Ends what {@link #beginRead} has begun; {@code DMA_BUF_IOCTL_SYNC}.
   *
   * @throws VfioException if the kernel refuses
   */
  public void endRead() throws VfioException {
    synchronize(READ | END);
  }

  private void synchronize(int flags) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocateFrom(ValueLayout.JAVA_LONG, flags);
      int answer;
      do {
        answer = file.ioctl(Ioctl.DMA_BUF_IOCTL_SYNC, request);
      } while (Answer.is(answer, Errno.EINTR) || Answer.is(answer, Errno.EAGAIN));
      Answer.require(Ioctl.DMA_BUF_IOCTL_SYNC, file.object(), answer);
    }
  }

  /**
   * Reads a part of the memory: maps it, synchronizes, copies, and unmaps it. Who reads often maps
   * it once.
   *
   * @param offset bytes from the start
   * @param target filled whole
   * @throws IndexOutOfBoundsException if a part lies outside
   * @throws IllegalArgumentException if the memory is read-only
   * @throws IllegalStateException if the memory has been freed, or this is closed
   * @throws WrongThreadException if the memory is another thread's alone
   * @throws VfioException if the kernel refuses to map or to synchronize
   */
  public void read(long offset, MemorySegment target) throws VfioException {
    Objects.checkFromIndexSize(offset, target.byteSize(), size);
    try (MappedRegion mapped = map()) {
      read(mapped, offset, target);
    }
  }

  /**
   * Reads a part of the memory through a mapping of it, between {@link #beginRead} and {@link
   * #endRead}.
   *
   * @param mapped what {@link #map} has given
   * @param offset bytes from the start
   * @param target filled whole
   * @throws IndexOutOfBoundsException if a part lies outside
   * @throws IllegalArgumentException if the memory is read-only
   * @throws IllegalStateException if the memory has been freed, or the mapping or this is closed
   * @throws WrongThreadException if the memory is another thread's alone
   * @throws VfioException if the kernel refuses to synchronize
   */
  public void read(MappedRegion mapped, long offset, MemorySegment target) throws VfioException {
    beginRead();
    try (Rollback ending = new Rollback()) {
      ending.add(this::endRead);
      mapped.read(offset, target);
    }
  }

  /**
   * Closes the mappings of it, and the file. What other devices have mapped of it stays, and so do
   * files that others have. Later calls close mappings that the kernel refused to close.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    Closing closing = new Closing();
    boolean unmapped;
    synchronized (mapLock) {
      unmapped = mappings.close(closing);
      closing.attempt(() -> Answer.require("close", file.object(), file.close(), ""));
    }
    if (unmapped) {
      device.disown(this);
    }
    closing.rethrow();
  }

  /** Returns its name and its size, and whether it is closed. */
  @Override
  public String toString() {
    String ended = file.isClosed() ? ", closed" : "";
    return "%s of 0x%x bytes%s".formatted(file.object(), size, ended);
  }
}
