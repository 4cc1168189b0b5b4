package io.github.vfio4j.linux;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * Device memory mapped into this process.
 *
 * <p>Closing must let the device go at once, yet a thread may be in the middle of an access, and
 * making every access announce itself would cost more than the access. So {@link #close} puts a
 * file in memory that has no name in the device's place, which the kernel does atomically: a late
 * access reads zeros or what other late accesses wrote, writes to memory nobody looks at, and
 * touches neither the device nor anything else. The addresses themselves are given back when no
 * reference to this object is left.
 *
 * <p>Private memory would be charged where memory is not overcommitted, by the size of the
 * device's; pages of such a file are charged when they are touched. The file is there before the
 * device is mapped, see {@link StandIn}: what cannot be closed is not opened.
 */
public final class DeviceMapping {
  private static final int PROT_NONE = 0;
  private static final int PROT_READ = 1;
  private static final int PROT_WRITE = 2;
  private static final int MAP_SHARED = 0x01;
  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_ANONYMOUS = 0x20;
  private static final int MAP_NORESERVE = 0x4000;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;

  private static final int ENOMEM = 12;
  private static final int EEXIST = 17;

  /** How often a free place is looked for before somebody else in this process has it. */
  private static final int ATTEMPTS = 256;

  /** Held from looking for a place to mapping there: others that map devices would get the same. */
  private static final Object PLACES = new Object();

  /** The largest pages that the kernel can map device memory with. */
  private static final long LARGEST_PAGE = 1 << 30;

  private static final Cleaner CLEANER = Cleaner.create();

  /** The addresses, once there are some; unmapped when the mapping is unreachable. */
  private static final class Place implements Runnable {
    final Kernel kernel;
    final long size;
    volatile long address;

    Place(Kernel kernel, long size) {
      this.kernel = kernel;
      this.size = size;
    }

    @Override
    public void run() {
      if (address != 0) {
        kernel.munmap(address, size);
      }
    }
  }

  private final Kernel kernel;
  private final long size;
  private final boolean readable;
  private final boolean writable;
  private final Place place;
  private boolean open;

  /**
   * Makes a mapping of nothing, so that all is there when {@link #map} asks the kernel.
   *
   * @param size bytes, whole pages
   */
  public DeviceMapping(Kernel kernel, long size, boolean readable, boolean writable) {
    this.kernel = kernel;
    this.size = size;
    this.readable = readable;
    this.writable = writable;
    this.place = new Place(kernel, size);
    CLEANER.register(this, place);
  }

  /**
   * Maps a window of an open device, once.
   *
   * @return why it cannot be mapped, or null
   */
  public synchronized @Nullable Refusal map(int fd, long offset) {
    Refusal refusal = StandIn.OF_PROCESS.prepare(kernel, size);
    if (refusal != null) {
      return refusal;
    }
    long answer = request(fd, offset);
    if (answer < 0) {
      return new Refusal("mmap", (int) answer);
    }
    place.address = answer;
    open = true;
    return null;
  }

  private long request(int fd, long offset) {
    int protection = (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0);
    long answer = -EEXIST;
    for (int i = 0; i < ATTEMPTS && answer == -EEXIST; i++) {
      synchronized (PLACES) {
        answer = attempt(protection, fd, offset);
      }
    }
    return answer;
  }

  private long attempt(int protection, int fd, long offset) {
    long address = freeAddress(kernel, size);
    if (address < 0) {
      return address;
    }
    long answer =
        kernel.mmap(address, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset);
    if (answer >= 0 && answer != address) { // Linux before 4.17, which does not know the flag
      kernel.munmap(answer, size);
      return -EEXIST;
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

  /** Returns whether the memory may be loaded from; where not, the processor may fault. */
  public boolean readable() {
    return readable;
  }

  /** Returns whether the memory may be stored to; where not, the processor faults. */
  public boolean writable() {
    return writable;
  }

  /** Returns what the accesses of {@link Mmio} take, once it is mapped. */
  public int base() {
    return (int) (place.address / Mmio.ALIGNMENT);
  }

  /**
   * Returns where it is mapped, once it is: a segment without bytes, which nothing can be read or
   * written through.
   */
  public MemorySegment place() {
    return MemorySegment.ofAddress(place.address);
  }

  /**
   * Takes the device out of the mapping, once; later calls do nothing, as where nothing is mapped.
   *
   * @return why the device is still mapped, or null; after a refusal it may be asked again
   */
  public synchronized @Nullable Refusal close() {
    Refusal refusal = null;
    if (open) {
      refusal = StandIn.OF_PROCESS.replace(kernel, place.address, size);
      open = refusal != null;
    }
    return refusal;
  }
}
