package io.github.vfio4j.fake;

import io.github.vfio4j.Errno;
import io.github.vfio4j.linux.Kernel;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Device memory that is mapped into this process: anonymous memory of its size stands for it. */
public final class DeviceMappings {
  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;

  private static final int MAP_PRIVATE = 0x02;
  private static final int MAP_FIXED = 0x10;
  private static final int MAP_FIXED_NOREPLACE = 0x100000;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

  private record Mapping(long length, int protection) {}

  private final Kernel real;
  private final TreeMap<Long, Mapping> mappings = new TreeMap<>();

  /** What other threads have mapped since, by addresses. */
  private final TreeMap<Long, Long> neighbours = new TreeMap<>();

  private long memory = Long.MAX_VALUE;
  private int refusal;
  private int collisions;
  private boolean keeping;
  private boolean neighbourUnmapped;

  DeviceMappings(Kernel real) {
    this.real = real;
  }

  /**
   * Has drivers refuse to map. The kernel asks them after it has taken away what was at a fixed
   * address; there another thread maps something of its own at once.
   */
  public synchronized void refuse(Errno reason) {
    refusal = -reason.number();
  }

  /** Has the kernel refuse, or not any more, to put memory in the place of a device's. */
  public synchronized void keep(boolean kept) {
    keeping = kept;
  }

  /** Has the kernel not overcommit memory, of which so many bytes are left. */
  public synchronized void doNotOvercommit(long left) {
    memory = left;
  }

  /** Has another thread take the place first, so many times, where nothing may be replaced. */
  public synchronized void collide(int times) {
    collisions = times;
  }

  /** Returns whether something was unmapped that belongs to another thread. */
  public synchronized boolean neighbourUnmapped() {
    return neighbourUnmapped;
  }

  synchronized long map(long address, long length, int protection, int flags) {
    if (refusal < 0) {
      if ((flags & MAP_FIXED) != 0) {
        real.mmap(address, length, 0, MAP_PRIVATE_ANONYMOUS | MAP_FIXED, -1, 0);
        neighbours.put(address, length);
      }
      return refusal;
    }
    if ((flags & MAP_FIXED_NOREPLACE) != 0 && collisions > 0) {
      collisions--;
      return -Errno.EEXIST.number();
    }
    long at =
        real.mmap(
            address,
            length,
            protection,
            MAP_PRIVATE_ANONYMOUS | (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)),
            -1,
            0);
    if (at >= 0) {
      mappings.put(at, new Mapping(length, protection));
    }
    return at;
  }

  /**
   * Maps memory that is no device's, which may take a device's place. Where memory is not
   * overcommitted, private memory that can be written is charged by its size, reserved or not.
   */
  synchronized long mapMemory(
      long address, long length, int protection, int flags, int fd, long offset) {
    boolean charged = (flags & MAP_PRIVATE) != 0 && (protection & PROT_WRITE) != 0;
    boolean replaces = (flags & MAP_FIXED) != 0;
    if ((charged && length > memory) || (replaces && keeping)) {
      return -Errno.ENOMEM.number();
    }
    long at = real.mmap(address, length, protection, flags, fd, offset);
    Mapping replaced = mappings.get(at);
    if (replaced != null && replaced.length == length) {
      mappings.remove(at);
    }
    return at;
  }

  /** Unmaps, except what belongs to another thread, which takes note of it. */
  synchronized int unmap(long address, long length) {
    Map.Entry<Long, Long> below = neighbours.lowerEntry(address + length);
    if (below != null && below.getKey() + below.getValue() > address) {
      neighbourUnmapped = true;
      return 0;
    }
    return real.munmap(address, length);
  }

  /** Returns how the memory of devices is protected, by addresses. */
  public synchronized List<Integer> protections() {
    return mappings.values().stream().map(Mapping::protection).toList();
  }

  synchronized List<String> left() {
    return mappings.keySet().stream().map("device mapping at 0x%x"::formatted).toList();
  }
}
