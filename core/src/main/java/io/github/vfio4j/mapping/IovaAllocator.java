package io.github.vfio4j.mapping;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.linux.Alignment;
import java.util.List;

/**
 * Hands out IO virtual addresses from the ranges that the kernel allows, lowest first.
 *
 * <p>Addresses and sizes are in bytes and unsigned: an extent may end at {@code
 * 0xffffffffffffffff}. Everything handed out is a whole number of granules. {@link #allocate} never
 * gives the granule at address 0, so that 0 can mean {@link #NONE}; a caller that wants it, as a
 * guest's memory does, gets it by {@link #reserve}.
 *
 * <p>Only what is free is recorded, and room for the holes that live regions may leave. With n
 * holes each operation takes O(log n) steps; {@link #allocate} names its one exception. Only taking
 * allocates Java memory, where the tables have to grow, and before it changes anything; giving back
 * whole regions never does.
 *
 * <p>Not thread-safe: the address space that owns it locks.
 */
final class IovaAllocator {

  /** What {@link #allocate} returns when no free extent has room. */
  static final long NONE = 0;

  /** Extents that are long enough but lie badly for an alignment, before a roomy one is taken. */
  private static final int MISFITS = 32;

  private final int shift;
  private final long partial;
  private final AllowedRanges allowed;
  private final FreeExtents free = new FreeExtents();

  /** Granule 0 is kept apart from the others, so that it needs no care where they are allocated. */
  private boolean zeroFree;

  /**
   * Starts with everything in the ranges free.
   *
   * @param granule the unit of allocation in bytes, the IO page size: a power of two, at least 4
   * @param allowed the kernel's ranges in any order; those that touch or overlap are taken as one
   * @throws IllegalArgumentException if the granule is not such a power of two
   */
  IovaAllocator(long granule, List<IovaRange> allowed) {
    if (granule < 4 || Long.bitCount(granule) != 1) {
      throw new IllegalArgumentException("Not a page size: " + Long.toUnsignedString(granule));
    }
    this.shift = Long.numberOfTrailingZeros(granule);
    this.partial = granule - 1;
    this.allowed = AllowedRanges.of(allowed, shift);
    for (int i = 0; i < this.allowed.starts.length; i++) {
      give(this.allowed.starts[i], this.allowed.ends[i]);
    }
  }

  /**
   * Takes the lowest free extent that has room.
   *
   * <p>When many extents are long enough but lie badly for an alignment above the granule, the
   * lowest one is taken that has room wherever its ends lie. Only if there is none are all those
   * long enough tried in turn, the one operation that may take O(n log n) steps.
   *
   * @param size in bytes, a multiple of the granule, not 0
   * @param alignment in bytes, a power of two; one below the granule counts as the granule
   * @return the address, or {@link #NONE} when there is no room
   * @throws IllegalArgumentException if size or alignment is not such a number
   */
  long allocate(long size, long alignment) {
    checkSize(size);
    checkAlignment(alignment);
    long length = size >>> shift;
    long step = Math.max(1, alignment >>> shift);
    int node = free.lowest(length);
    if (node == 0) {
      return NONE;
    }
    long place = place(node, step);
    if (place + length > free.end(node)) {
      place = placeAbove(free.start(node), length, step);
      if (place == NONE) {
        return NONE;
      }
    }
    free.take(place, place + length);
    return place << shift;
  }

  /**
   * Takes the lowest place with room within a range. It looks at one extent after another that is
   * long enough, which may take O(n log n) steps.
   *
   * @param size in bytes, a multiple of the granule, not 0
   * @param alignment in bytes, a power of two; one below the granule counts as the granule
   * @param within the range
   * @return the address, or {@link #NONE} when there is no room
   * @throws IllegalArgumentException if size or alignment is not such a number
   */
  long allocate(long size, long alignment, IovaRange within) {
    checkSize(size);
    checkAlignment(alignment);
    long length = size >>> shift;
    long step = Math.max(1, alignment >>> shift);
    long from = Math.max(1, (within.first() >>> shift) + ((within.first() & partial) == 0 ? 0 : 1));
    long to = (within.last() >>> shift) + ((within.last() & partial) == partial ? 1 : 0);
    int node = free.find(from);
    if (node == 0) {
      node = free.lowest(length, from);
    }
    while (node != 0) {
      long place = Alignment.up(Math.max(free.start(node), from), step);
      if (place >= to || length > to - place) {
        return NONE;
      }
      if (place + length <= free.end(node)) {
        free.take(place, place + length);
        return place << shift;
      }
      node = free.lowest(length, free.start(node) + 1);
    }
    return NONE;
  }

  private long placeAbove(long misfit, long length, long step) {
    for (int misfits = 1; ; misfits++) {
      int node = misfits == MISFITS ? free.lowest(length + step) : 0;
      if (node == 0) {
        node = free.lowest(length, misfit + 1);
      }
      if (node == 0) {
        return NONE;
      }
      long place = place(node, step);
      if (place + length <= free.end(node)) {
        return place;
      }
      misfit = free.start(node);
    }
  }

  /** The first aligned granule from the start of an extent on; it may lie beyond its end. */
  private long place(int node, long step) {
    return Alignment.up(free.start(node), step);
  }

  /**
   * Takes one extent at a given address.
   *
   * @param iova in bytes, a multiple of the granule; 0 is as good as any
   * @param size in bytes, a multiple of the granule, not 0
   * @return false, with nothing changed, when any part of it is not free
   * @throws IllegalArgumentException if address or size is not such a multiple
   */
  boolean reserve(long iova, long size) {
    checkAddress(iova);
    checkSize(size);
    long from = iova >>> shift;
    return take(from, from + (size >>> shift));
  }

  private boolean take(long from, long to) {
    if (from == 0) {
      if (!zeroFree || (to > 1 && !take(1, to))) {
        return false;
      }
      zeroFree = false;
      return true;
    }
    int node = free.find(from);
    if (node == 0 || to > free.end(node)) {
      return false;
    }
    free.take(from, to);
    return true;
  }

  /**
   * Gives back what was taken, whole or in part.
   *
   * @param iova in bytes, a multiple of the granule
   * @param size in bytes, a multiple of the granule, not 0
   * @return false, with nothing changed, when any part is free or was never in an allowed range
   * @throws IllegalArgumentException if address or size is not such a multiple
   */
  boolean release(long iova, long size) {
    checkAddress(iova);
    checkSize(size);
    long from = iova >>> shift;
    long to = from + (size >>> shift);
    return allowed.contains(from, to) && give(from, to);
  }

  private boolean give(long from, long to) {
    if (from != 0) {
      return free.add(from, to);
    }
    if (zeroFree || (to > 1 && !free.add(1, to))) {
      return false;
    }
    zeroFree = true;
    return true;
  }

  /**
   * Returns whether an extent lies in the allowed ranges, free or taken.
   *
   * @param iova in bytes, any number
   * @param size in bytes, any number
   * @return whether all of it, and at least one byte, is allowed
   */
  boolean isAllowed(long iova, long size) {
    long last = iova + size - 1;
    return size != 0
        && Long.compareUnsigned(iova, last) <= 0
        && allowed.contains(iova >>> shift, (last >>> shift) + 1);
  }

  /**
   * Counts what is free.
   *
   * @return bytes, unsigned; one less than the truth when all 2<sup>64</sup> bytes are free
   */
  long freeBytes() {
    long granules = free.total() + (zeroFree ? 1 : 0);
    return granules == 1L << (64 - shift) ? -1 : granules << shift;
  }

  private void checkAddress(long iova) {
    if ((iova & partial) != 0) {
      throw new IllegalArgumentException(
          "IOVA 0x%x is not a multiple of the page size, 0x%x".formatted(iova, partial + 1));
    }
  }

  private static void checkAlignment(long alignment) {
    if (Long.bitCount(alignment) != 1) {
      throw new IllegalArgumentException(
          "An alignment is a power of two, not " + Long.toUnsignedString(alignment));
    }
  }

  private void checkSize(long size) {
    if (size == 0 || (size & partial) != 0) {
      throw new IllegalArgumentException(
          "A size of 0x%x is not a whole number of pages of 0x%x".formatted(size, partial + 1));
    }
  }
}
