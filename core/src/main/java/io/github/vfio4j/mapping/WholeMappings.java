package io.github.vfio4j.mapping;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** The mappings that lie in a range, none of which reaches out of it. */
final class WholeMappings {
  /** The last address of each, by its first. */
  private final TreeMap<Long, Long> lasts = new TreeMap<>(Long::compareUnsigned);

  /**
   * Collects them.
   *
   * @throws IllegalArgumentException if one reaches out of the range
   */
  WholeMappings(String space, MappingTable mappings, IovaRange wanted) throws VfioException {
    mappings.forEach(
        (iova, size, memory, access) -> {
          IovaRange mapped = new IovaRange(iova, iova + (size - 1));
          if (wanted.contains(mapped)) {
            lasts.put(mapped.first(), mapped.last());
          } else if (wanted.overlaps(mapped)) {
            throw new IllegalArgumentException(
                "Cannot unmap %s of %s: the mapping %s reaches out of it"
                    .formatted(wanted, space, mapped));
          }
        });
  }

  /** Returns the ranges that they take up without a hole, ascending: what one call can unmap. */
  List<IovaRange> runs() {
    List<IovaRange> runs = new ArrayList<>();
    lasts.forEach(
        (first, last) -> {
          if (!runs.isEmpty() && runs.getLast().last() + 1 == first) {
            runs.addLast(new IovaRange(runs.removeLast().first(), last));
          } else {
            runs.add(new IovaRange(first, last));
          }
        });
    return runs;
  }

  /** Returns the single mappings of a run: the last address of each, by its first. */
  SortedMap<Long, Long> in(IovaRange run) {
    return lasts.subMap(run.first(), true, run.last(), true);
  }
}
