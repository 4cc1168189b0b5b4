package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is mapped in one IO address space. Pages are looked up when the first user comes, a device
 * or a page table, and at once while there is one.
 */
final class FakeMappings {
  private record Mapping(long size, FakePages pages) {}

  private final FakeIommu iommu;
  private final TreeMap<Long, Mapping> mappings = new TreeMap<>();

  /** How many hardware queues keep the mapping that starts there. */
  private final Map<Long, Integer> locks = new TreeMap<>();

  private int users;

  FakeMappings(FakeIommu iommu) {
    this.iommu = iommu;
  }

  /** Adds a user, unless the pages are not there. */
  int attach() {
    for (Mapping mapping : mappings.values()) {
      int answer = iommu.lookUp(mapping.pages);
      if (answer < 0) {
        return answer;
      }
    }
    users++;
    return 0;
  }

  void detach() {
    users--;
  }

  int map(long iova, long size, FakePages pages) {
    Map.Entry<Long, Mapping> below = mappings.floorEntry(iova + size - 1);
    if (below != null && below.getKey() + below.getValue().size > iova) {
      return -Errno.EEXIST.number();
    }
    int answer = users == 0 ? 0 : iommu.lookUp(pages);
    if (answer < 0) {
      return answer;
    }
    mappings.put(iova, new Mapping(size, pages));
    return 0;
  }

  /** Has a mapping's memory at another address. */
  int move(long iova, long address) {
    Mapping mapping = mappings.get(iova);
    if (mapping == null) {
      return -Errno.ENOENT.number();
    }
    mappings.put(iova, new Mapping(mapping.size, new FakePages(address, mapping.size)));
    return 0;
  }

  /** Unmaps whole mappings, and returns how many bytes they had, or an error. */
  long unmap(long iova, long size) {
    if (pages(iova, size) == null) {
      return unmapSeveral(iova, size);
    }
    if (locks.containsKey(iova)) {
      return -Errno.EBUSY.number();
    }
    long unmapped = iommu.unmapped(size);
    if (unmapped == size) {
      mappings.remove(iova);
    }
    return unmapped;
  }

  private long unmapSeveral(long iova, long size) {
    long bytes = 0;
    for (long first : List.copyOf(mappings.subMap(iova, iova + size).keySet())) {
      if (locks.containsKey(first)) {
        return -Errno.EBUSY.number();
      }
      bytes += mappings.remove(first).size;
    }
    return bytes;
  }

  /** Unmaps everything in the order of addresses, up to what is locked. */
  long unmapAll() {
    long bytes = 0;
    while (!mappings.isEmpty()) {
      if (locks.containsKey(mappings.firstKey())) {
        return -Errno.EBUSY.number();
      }
      bytes += mappings.pollFirstEntry().getValue().size;
    }
    return bytes;
  }

  void clear() {
    mappings.clear();
  }

  /** Keeps a mapping from being unmapped, as a hardware queue in it does. */
  int lock(long iova, long size) {
    if (pages(iova, size) == null) {
      return -Errno.ENOENT.number();
    }
    locks.merge(iova, 1, Integer::sum);
    return 0;
  }

  void unlock(long iova) {
    locks.computeIfPresent(iova, (locked, queues) -> queues == 1 ? null : queues - 1);
  }

  /** Returns what is behind a mapping of exactly this extent. */
  @Nullable FakePages pages(long iova, long size) {
    Mapping mapping = mappings.get(iova);
    return mapping == null || mapping.size != size ? null : mapping.pages;
  }

  /** Returns what is behind the mapping that starts there. */
  @Nullable FakePages pages(long iova) {
    Mapping mapping = mappings.get(iova);
    return mapping == null ? null : mapping.pages;
  }

  List<String> left() {
    return mappings.entrySet().stream()
        .map(each -> "mapping of 0x%x bytes at 0x%x".formatted(each.getValue().size, each.getKey()))
        .toList();
  }
}
