package io.github.vfio4j.linux;

import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Device memory mapped into this process.
 *
 * <p>Closing must let the device go at once, yet a thread may be in the middle of an access, and
 * making every access announce itself would cost more than the access. So {@link #close} puts a
 * file in memory that has no name in the device's place, which the kernel does atomically: a late
 * access reads zeros or writes to memory nobody looks at, and touches neither the device nor
 * anything else. The addresses themselves are given back when no reference to this object is left.
 *
 * <p>Private memory would be charged where memory is not overcommitted, by the size of the
 * device's; pages of such a file are charged when they are touched.
 */
public final class DeviceMapping {
  private static final int PROT_NONE = 0;
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 0x01;
  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;
  private static final int MFD_CLOEXEC = 1;

  private static final int ENOMEM = 12;
  private static final int EEXIST = 17;

  /** How often a free place is looked for before another thread has it. */
  private static final int ATTEMPTS = 16;

  /** The largest pages that the kernel can map device memory with. */
  private static final long LARGEST_PAGE = 1 << 30;

  private static final Cleaner CLEANER = Cleaner.create();

  private final Kernel kernel;
  private final long address;
  private final long size;
  private final boolean readable;
  private final boolean writable;
  private boolean closed;

  private DeviceMapping(
      Kernel kernel, long address, long size, boolean readable, boolean writable) {
    this.kernel = kernel;
    this.address = address;
    this.size = size;
    this.readable = readable;
    this.writable = writable;
    CLEANER.register(this, () -> kernel.munmap(address, size));
  }

  /**
   * Asks the kernel to map a window of an open device.
   *
   * @return the address, or a negated error number; hand it to {@link #at}
   */
  public static long request(
      Kernel kernel, int fd, long offset, long size, boolean readable, boolean writable) {
    int protection = (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0);
    long answer = -EEXIST;
    for (int i = 0; i < ATTEMPTS && answer == -EEXIST; i++) {
      long address = freeAddress(kernel, size);
      if (address < 0) {
        return address;
      }
      answer = kernel.mmap(address, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset);
      if (answer >= 0 && answer != address) { // Linux before 4.17, which does not know the flag
        kernel.munmap(answer, size);
        answer = -EEXIST;
      }
    }
    return answer;
  }

  /**
   * Looks for an address that is free, and as aligned as huge pages of this size need.
   *
   * <p>The place is not kept: from a reservation, a refused mapping would take a part away that
   * another thread may map at once, so that nobody could tell what there is to unmap.
   */
  private static long freeAddress(Kernel kernel, long size) {
    long alignment = Math.clamp(Long.highestOneBit(size), Mmio.ALIGNMENT, LARGEST_PAGE);
    long room = size + alignment;
    long start =
        kernel.mmap(0, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start < 0) {
      return start;
    }
    int answer = kernel.munmap(start, room);
    if (answer < 0) {
      return answer;
    }
    long address = Alignment.up(start, alignment);
    return address > Mmio.HIGHEST_ADDRESS ? -ENOMEM : address;
  }

  /** Takes over what {@link #request} answered, with what was asked for. */
  public static DeviceMapping at(
      Kernel kernel, long address, long size, boolean readable, boolean writable) {
    return new DeviceMapping(kernel, address, size, readable, writable);
  }

  /** Returns whether the memory may be loaded from; where not, the processor may fault. */
  public boolean readable() {
    return readable;
  }

  /** Returns whether the memory may be stored to; where not, the processor faults. */
  public boolean writable() {
    return writable;
  }

  /** Returns what the accesses of {@link Mmio} take. */
  public int base() {
    return (int) (address / Mmio.ALIGNMENT);
  }

  /**
   * A call of the kernel's that was refused.
   *
   * @param operation its name
   * @param answer the negated error number
   */
  public record Refusal(String operation, int answer) {}

  /**
   * Takes the device out of the mapping, once; later calls do nothing.
   *
   * @return why the device is still mapped, or null; after a refusal it may be asked again
   */
  public synchronized @Nullable Refusal close() {
    if (closed) {
      return null;
    }
    int fd = kernel.memfdCreate("closed device mapping", MFD_CLOEXEC);
    if (fd < 0) {
      return new Refusal("memfd_create", fd);
    }
    Refusal refusal = replaceWith(fd);
    kernel.close(fd); // nothing can be lost with it, so nothing is reported
    closed = refusal == null;
    return refusal;
  }

  private @Nullable Refusal replaceWith(int fd) {
    int sized = kernel.ftruncate(fd, size);
    if (sized < 0) {
      return new Refusal("ftruncate", sized);
    }
    int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
    long mapped = kernel.mmap(address, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    return mapped < 0 ? new Refusal("mmap", (int) mapped) : null;
  }
}
