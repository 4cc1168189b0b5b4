package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Kernel;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Device memory that is mapped into this process: anonymous memory of its size stands for it. */
public final class DeviceMappings {
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private final Kernel real;
  private final TreeMap<Long, Long> lengths = new TreeMap<>();

  DeviceMappings(Kernel real) {
    this.real = real;
  }

  synchronized long map(long address, long length, int protection, int flags) {
    long at =
        real.mmap(address, length, protection, MAP_PRIVATE_ANONYMOUS | (flags & MAP_FIXED), -1, 0);
    if (at >= 0) {
      lengths.put(at, length);
    }
    return at;
  }

  /** Puts anonymous memory in the place of a device's. */
  synchronized long replace(long address, long length, int protection, int flags) {
    lengths.remove(address, length);
    return real.mmap(address, length, protection, flags, -1, 0);
  }

  synchronized List<String> left() {
    List<String> left = new ArrayList<>();
    lengths.keySet().forEach(address -> left.add("device mapping at 0x%x".formatted(address)));
    return left;
  }
}
