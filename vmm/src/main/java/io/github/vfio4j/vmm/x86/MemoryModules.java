package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.board.Board.MemoryRange;
import io.github.vfio4j.vmm.bus.BusDevice;
import org.jspecify.annotations.Nullable;

/**
 * Places for memory that comes while the guest runs. For each, ports tell where it is: its first
 * address, its last and its size, 0 where there is none. Thread-safe.
 */
final class MemoryModules implements BusDevice {
  static final int COUNT = 8;
  static final int WINDOW = 24;
  static final int SIZE = COUNT * WINDOW;

  /** What Linux takes at once, and all addresses are multiples of. */
  static final long GRANULE = 128L << 20;

  private final @Nullable MemoryRange[] ranges = new MemoryRange[COUNT];
  private final long first;
  private final long last;

  /** Makes places between two addresses. */
  MemoryModules(long first, long last) {
    this.first = (first + GRANULE - 1) & -GRANULE;
    this.last = last;
  }

  /**
   * Takes a place.
   *
   * @throws VfioException if none is left, or not so much room
   */
  synchronized MemoryRange take(long size) throws VfioException {
    if (size <= 0 || size % GRANULE != 0) {
      throw refused(size, "it comes in multiples of 128 MiB");
    }
    long address = first;
    for (int index = 0; index < COUNT; index++) {
      if (ranges[index] == null && isFree(address, size)) {
        MemoryRange taken = new MemoryRange(address, size);
        ranges[index] = taken;
        return taken;
      }
      MemoryRange other = ranges[index];
      if (other != null) {
        address = Math.max(address, other.address() + other.size());
      }
    }
    throw refused(size, "there is no place left for it");
  }

  private static VfioException refused(long size, String why) {
    return new VfioException("add memory", "0x%x bytes".formatted(size), null, why);
  }

  private boolean isFree(long address, long size) {
    for (MemoryRange range : ranges) {
      if (range != null
          && address < range.address() + range.size()
          && range.address() < address + size) {
        return false;
      }
    }
    return size - 1 <= last - address;
  }

  /** Gives the place of a range back. */
  synchronized void free(MemoryRange range) {
    for (int index = 0; index < COUNT; index++) {
      if (range.equals(ranges[index])) {
        ranges[index] = null;
      }
    }
  }

  /** Returns the number of the place that begins at an address. */
  synchronized int index(long address) throws VfioException {
    for (int index = 0; index < COUNT; index++) {
      if (ranges[index] != null && ranges[index].address() == address) {
        return index;
      }
    }
    throw new VfioException(
        "add memory", "0x%x".formatted(address), null, "the guest has let it go already");
  }

  /** Returns what is in a place, or null. */
  synchronized @Nullable MemoryRange at(int index) {
    return index < COUNT ? ranges[index] : null;
  }

  @Override
  public synchronized long read(long offset, int width) {
    MemoryRange range = ranges[(int) offset / WINDOW];
    if (range == null) {
      return 0;
    }
    long value =
        switch ((int) offset % WINDOW / Long.BYTES) {
          case 0 -> range.address();
          case 1 -> range.address() + range.size() - 1;
          default -> range.size();
        };
    return value >>> (offset % Long.BYTES * Byte.SIZE);
  }

  @Override
  public void write(long offset, int width, long value) {}
}
