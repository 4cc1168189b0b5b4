package io.github.vfio4j.mapping;

import io.github.vfio4j.IovaRange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Disjoint ranges in rising order, in granules, each from {@code starts[i]} up to and without
 * {@code ends[i]}. What of the kernel's ranges is less than a whole granule is left out.
 */
final class AllowedRanges {

  final long[] starts;
  final long[] ends;

  private AllowedRanges(List<long[]> ranges) {
    starts = ranges.stream().mapToLong(range -> range[0]).toArray();
    ends = ranges.stream().mapToLong(range -> range[1]).toArray();
  }

  static AllowedRanges of(List<IovaRange> ranges, int granuleShift) {
    long partial = (1L << granuleShift) - 1;
    List<long[]> whole = new ArrayList<>();
    for (IovaRange range : merge(ranges)) {
      long start = (range.first() >>> granuleShift) + ((range.first() & partial) == 0 ? 0 : 1);
      long end = (range.last() >>> granuleShift) + ((range.last() & partial) == partial ? 1 : 0);
      if (start < end) {
        whole.add(new long[] {start, end});
      }
    }
    return new AllowedRanges(whole);
  }

  private static List<IovaRange> merge(List<IovaRange> ranges) {
    List<IovaRange> rising = new ArrayList<>(ranges);
    rising.sort(Comparator.comparingLong(range -> range.first() + Long.MIN_VALUE));
    List<IovaRange> merged = new ArrayList<>();
    for (IovaRange range : rising) {
      IovaRange below = merged.isEmpty() ? null : merged.getLast();
      if (below == null || !(below.contains(range.first()) || below.last() + 1 == range.first())) {
        merged.add(range);
      } else if (!below.contains(range.last())) {
        merged.set(merged.size() - 1, new IovaRange(below.first(), range.last()));
      }
    }
    return merged;
  }

  /**
   * Returns whether one of the ranges holds all of the granules from start up to and without end.
   */
  boolean contains(long start, long end) {
    for (int i = 0; i < starts.length; i++) {
      if (starts[i] <= start && end <= ends[i]) {
        return true;
      }
    }
    return false;
  }
}
