package io.github.vfio4j.vmm.bus;

import io.github.vfio4j.VfioException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * Which device answers at which address, of memory or of ports. Lookups take no lock: a change
 * makes a new table. What nobody answers reads as all ones, and is written to nobody, as on a real
 * bus.
 */
public final class AddressMap {
  private static final Logger LOGGER = System.getLogger(AddressMap.class.getName());

  private static final class Range {
    private final long first;
    private final long size;
    private final BusDevice device;
    private volatile boolean failed;

    Range(long first, long size, BusDevice device) {
      this.first = first;
      this.size = size;
      this.device = device;
    }

    long first() {
      return first;
    }

    boolean holds(long address) {
      return address - first >= 0 && address - first < size;
    }

    /** Tells of the first failure alone: the guest can have as many as it likes. */
    void tell(String what, Exception why) {
      if (!failed) {
        failed = true;
        LOGGER.log(Level.WARNING, what, why);
      }
    }
  }

  private volatile Range[] ranges = {};

  /**
   * Puts a device at some addresses.
   *
   * @throws IllegalArgumentException if another one is at one of them, or there are none
   */
  public void add(long first, long size, BusDevice device) {
    if (!addUnlessTaken(first, size, device)) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x are another device's".formatted(size, first));
    }
  }

  /**
   * Puts a device at some addresses, unless another one is at one of them.
   *
   * @return whether it did
   * @throws IllegalArgumentException if there are none
   */
  public synchronized boolean addUnlessTaken(long first, long size, BusDevice device) {
    if (first < 0 || size <= 0 || first + size < 0) {
      throw new IllegalArgumentException("0x%x bytes at 0x%x".formatted(size, first));
    }
    for (Range range : ranges) {
      if (first < range.first + range.size && range.first < first + size) {
        return false;
      }
    }
    Range[] more = Arrays.copyOf(ranges, ranges.length + 1);
    more[ranges.length] = new Range(first, size, device);
    Arrays.sort(more, Comparator.comparingLong(Range::first));
    ranges = more;
    return true;
  }

  /** Takes a device away from all of its addresses. */
  public synchronized void remove(BusDevice device) {
    ranges =
        Arrays.stream(ranges).filter(range -> !range.device.equals(device)).toArray(Range[]::new);
  }

  /** Reads as the guest does. */
  public long read(long address, int width) {
    Range range = find(address);
    if (range == null) {
      return -1;
    }
    try {
      return range.device.read(address - range.first, width);
    } catch (VfioException | RuntimeException e) { // whatever it is, other processors go on
      range.tell("the guest reads all ones at 0x%x".formatted(address), e);
      return -1;
    }
  }

  /** Writes as the guest does. */
  public void write(long address, int width, long value) {
    Range range = find(address);
    if (range == null) {
      return;
    }
    try {
      range.device.write(address - range.first, width, value);
    } catch (VfioException | RuntimeException e) {
      range.tell("a write of the guest at 0x%x is lost".formatted(address), e);
    }
  }

  private @Nullable Range find(long address) {
    Range[] all = ranges;
    int low = 0;
    int high = all.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Range range = all[middle];
      if (range.holds(address)) {
        return range;
      }
      if (address < range.first) {
        high = middle - 1;
      } else {
        low = middle + 1;
      }
    }
    return null;
  }
}
