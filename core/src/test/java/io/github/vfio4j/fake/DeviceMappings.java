package io.github.vfio4j.fake;

import io.github.vfio4j.linux.Kernel;
import java.util.List;
import java.util.TreeMap;

/** Device memory that is mapped into this process: anonymous memory of its size stands for it. */
public final class DeviceMappings {
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;

  private static final int MAP_FIXED = 0x10;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private record Mapping(long length, int protection) {}

  private final Kernel real;
  private final TreeMap<Long, Mapping> mappings = new TreeMap<>();

  DeviceMappings(Kernel real) {
    this.real = real;
  }

  synchronized long map(long address, long length, int protection, int flags) {
    long at =
        real.mmap(address, length, protection, MAP_PRIVATE_ANONYMOUS | (flags & MAP_FIXED), -1, 0);
    if (at >= 0) {
      mappings.put(at, new Mapping(length, protection));
    }
    return at;
  }

  /** Puts anonymous memory in the place of a device's. */
  synchronized long replace(long address, long length, int protection, int flags) {
    long at = real.mmap(address, length, protection, flags, -1, 0);
    Mapping replaced = mappings.get(address);
    if (at >= 0 && replaced != null && replaced.length == length) {
      mappings.remove(address);
    }
    return at;
  }

  /** Returns how the memory of devices is protected, by addresses. */
  public synchronized List<Integer> protections() {
    return mappings.values().stream().map(Mapping::protection).toList();
  }

  synchronized List<String> left() {
    return mappings.keySet().stream().map("device mapping at 0x%x"::formatted).toList();
  }
}
