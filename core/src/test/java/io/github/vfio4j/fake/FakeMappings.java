package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is mapped in one IO address space. */
final class FakeMappings {
  private final TreeMap<Long, Long> sizes = new TreeMap<>();

  int map(long iova, long size) {
    Map.Entry<Long, Long> below = sizes.floorEntry(iova + size - 1);
    if (below != null && below.getKey() + below.getValue() > iova) {
      return -Errno.EEXIST.number();
    }
    sizes.put(iova, size);
    return 0;
  }

  /** Unmaps exactly what was mapped, and returns how many bytes that are. */
  long unmap(long iova, long size) {
    return sizes.remove(iova, size) ? size : 0;
  }

  long unmapAll() {
    long bytes = sizes.values().stream().mapToLong(Long::longValue).sum();
    sizes.clear();
    return bytes;
  }

  boolean has(long iova, long size) {
    return sizes.get(iova) != null && sizes.get(iova) == size;
  }

  List<String> left() {
    List<String> left = new ArrayList<>();
    sizes.forEach((iova, size) -> left.add("mapping of 0x%x bytes at 0x%x".formatted(size, iova)));
    return left;
  }
}
