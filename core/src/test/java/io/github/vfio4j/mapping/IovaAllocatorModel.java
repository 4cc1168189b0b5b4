package io.github.vfio4j.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.IovaRange;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/** Drives an allocator and a page-by-page model of it with the same random calls. */
final class IovaAllocatorModel {

  private static final long PAGE = 4096;

  private final Random random;
  private final int pages;
  private final long base;
  private BitSet allowed;
  private final BitSet live = new BitSet();
  private final IovaAllocator allocator;

  IovaAllocatorModel(long seed, int pages) {
    this.random = new Random(seed);
    this.pages = pages;
    this.base = seed % 2 == 0 ? -pages * PAGE : 0;
    this.allowed = randomRanges();
    this.allocator = new IovaAllocator(PAGE, ranges(allowed));
  }

  void run(int calls) {
    for (int i = 0; i < calls; i++) {
      switch (random.nextInt(7)) {
        case 0, 1, 2 -> allocate(1 + random.nextInt(pages / 8), 1 << random.nextInt(6));
        case 3, 4 -> reserve(random.nextInt(pages), 1 + random.nextInt(6));
        default -> release();
      }
      assertThat(allocator.freeBytes()).isEqualTo(free().cardinality() * PAGE);
    }
  }

  private BitSet free() {
    BitSet free = (BitSet) allowed.clone();
    free.andNot(live);
    return free;
  }

  private void allocate(int length, int step) {
    long iova = allocator.allocate(length * PAGE, step * PAGE);
    BitSet free = free();
    int lowest = -1;
    int extents = 0;
    for (int start = free.nextSetBit(0); start >= 0; extents++) {
      int end = free.nextClearBit(start);
      long first = base / PAGE + start;
      first = base == 0 && start == 0 ? 1 : first;
      int place = start + (int) (((first + step - 1) & -step) - base / PAGE - start);
      if (lowest < 0 && place + length <= end) {
        lowest = place;
      }
      start = free.nextSetBit(end);
    }
    if (lowest < 0) {
      assertThat(iova).isEqualTo(IovaAllocator.NONE);
      return;
    }
    assertThat(iova).isNotZero();
    int place = (int) ((iova - base) / PAGE);
    if (step == 1 || extents <= 32) {
      assertThat(place).isEqualTo(lowest);
    }
    assertThat(iova % (step * PAGE)).isZero();
    assertThat(free.nextClearBit(place)).isGreaterThanOrEqualTo(place + length);
    live.set(place, place + length);
  }

  private void reserve(int place, int length) {
    boolean isFree = free().nextClearBit(place) >= place + length;
    assertThat(allocator.reserve(base + place * PAGE, length * PAGE)).isEqualTo(isFree);
    if (isFree) {
      live.set(place, place + length);
    }
  }

  private void release() {
    int place = random.nextInt(pages);
    place = random.nextInt(10) == 0 ? place : Math.max(0, live.nextSetBit(place));
    int length = Math.max(1, Math.min(live.nextClearBit(place) - place, 1 + random.nextInt(9)));
    boolean wasAllowed = allowed.nextClearBit(place) >= place + length;
    boolean overlapsFree = free().get(place, place + length).cardinality() > 0;
    assertThat(allocator.release(base + place * PAGE, length * PAGE))
        .isEqualTo(wasAllowed && !overlapsFree);
    if (wasAllowed && !overlapsFree) {
      live.clear(place, place + length);
    }
  }

  /** Most of the pages, with up to three windows left out. */
  private BitSet randomRanges() {
    BitSet ranges = new BitSet();
    ranges.set(0, pages);
    for (int windows = random.nextInt(4); windows > 0; windows--) {
      int start = random.nextInt(pages);
      ranges.clear(start, Math.min(pages, start + 1 + random.nextInt(pages / 20)));
    }
    return ranges;
  }

  private List<IovaRange> ranges(BitSet bits) {
    List<IovaRange> ranges = new ArrayList<>();
    for (int start = bits.nextSetBit(0); start >= 0; ) {
      int end = bits.nextClearBit(start);
      ranges.add(new IovaRange(base + start * PAGE, base + end * PAGE - 1));
      start = bits.nextSetBit(end);
    }
    return ranges;
  }
}
