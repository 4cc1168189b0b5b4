package io.github.vfio4j.mapping;

import java.util.Arrays;

/**
 * Ranges that were unmapped lately and that the allocator still counts as taken.
 *
 * <p>Drivers map the same few ranges again and again. Each of them is found here in a few
 * instructions, where giving it back to the allocator and taking it again takes some 1,500. A range
 * has one slot where it can be; what was in the slot goes back to the allocator. Not thread-safe.
 */
final class VacantIovas {
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;
  private static final int SLOTS = 64;
  private static final int SHIFT = Long.SIZE - Integer.numberOfTrailingZeros(SLOTS);

  private final long[] iovas = new long[SLOTS];

  /** The size of each range, 0 where the slot is empty. */
  private final long[] sizes = new long[SLOTS];

  /** Takes out exactly this range; false if it is not here. */
  boolean take(long iova, long size) {
    int slot = slot(iova);
    if (iovas[slot] != iova || sizes[slot] != size) {
      return false;
    }
    sizes[slot] = 0;
    return true;
  }

  /** Takes in a range that the allocator counts as taken. */
  void put(long iova, long size, IovaAllocator allocator) {
    int slot = slot(iova);
    giveBack(slot, allocator);
    iovas[slot] = iova;
    sizes[slot] = size;
  }

  /** Gives all ranges back to the allocator. */
  void giveBack(IovaAllocator allocator) {
    for (int slot = 0; slot < SLOTS; slot++) {
      giveBack(slot, allocator);
    }
  }

  /** Forgets all ranges. */
  void clear() {
    Arrays.fill(sizes, 0);
  }

  private void giveBack(int slot, IovaAllocator allocator) {
    if (sizes[slot] != 0) {
      allocator.release(iovas[slot], sizes[slot]);
      sizes[slot] = 0;
    }
  }

  private static int slot(long iova) {
    return (int) ((iova * GOLDEN_RATIO) >>> SHIFT);
  }
}
