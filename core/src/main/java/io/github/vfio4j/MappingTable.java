package io.github.vfio4j;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What is mapped where: an IOVA's size, its access, and the memory behind it, which is kept
 * reachable.
 *
 * <p>A hash table with linear probing over arrays, because entering and removing a mapping must not
 * allocate. Not thread-safe.
 */
final class MappingTable {
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;
  private static final int SMALLEST = 16;

  private long[] iovas = new long[SMALLEST];
  private long[] sizes = new long[SMALLEST];
  private @Nullable MemorySegment[] memory = new @Nullable MemorySegment[SMALLEST];
  private DmaAccess[] accesses = new DmaAccess[SMALLEST];
  private int shift = Long.SIZE - Integer.numberOfTrailingZeros(SMALLEST);
  private int count;

  int count() {
    return count;
  }

  /** Enters a mapping whose IOVA is not in the table. */
  void put(long iova, long size, MemorySegment backing, DmaAccess access) {
    if (count >= iovas.length / 2) {
      grow();
    }
    int slot = home(iova);
    while (memory[slot] != null) {
      slot = next(slot);
    }
    iovas[slot] = iova;
    sizes[slot] = size;
    memory[slot] = backing;
    accesses[slot] = access;
    count++;
  }

  /** Returns the size in bytes of the mapping that starts at an IOVA, or 0 where none does. */
  long sizeAt(long iova) {
    int slot = find(iova);
    return slot < 0 ? 0 : sizes[slot];
  }

  /** Tells whether the mapping that starts at an IOVA is that of this very object. */
  @SuppressWarnings({
    "ReferenceEquality",
    "MemorySegmentReferenceEquality"
  }) // an equal segment may be another mapping's
  boolean holds(long iova, MemorySegment backing) {
    int slot = find(iova);
    return slot >= 0 && memory[slot] == backing;
  }

  /** Removes the mapping that starts at an IOVA, if there is one. */
  void remove(long iova) {
    int hole = find(iova);
    if (hole < 0) {
      return;
    }
    count--;
    int slot = hole;
    while (true) {
      slot = next(slot);
      if (memory[slot] == null) {
        memory[hole] = null;
        return;
      }
      int distanceFromHome = (slot - home(iovas[slot])) & (iovas.length - 1);
      int distanceFromHole = (slot - hole) & (iovas.length - 1);
      if (distanceFromHome >= distanceFromHole) {
        iovas[hole] = iovas[slot];
        sizes[hole] = sizes[slot];
        memory[hole] = memory[slot];
        accesses[hole] = accesses[slot];
        hole = slot;
      }
    }
  }

  /** Is told of mappings. */
  interface Visitor {
    void visit(long iova, long size, MemorySegment backing, DmaAccess access) throws VfioException;
  }

  void forEach(Visitor visitor) throws VfioException {
    for (int slot = 0; slot < iovas.length; slot++) {
      MemorySegment backing = memory[slot];
      if (backing != null) {
        visitor.visit(iovas[slot], sizes[slot], backing, accesses[slot]);
      }
    }
  }

  /** Returns the memory behind the mapping that starts at an IOVA, or null where none does. */
  @Nullable MemorySegment memoryAt(long iova) {
    int slot = find(iova);
    return slot < 0 ? null : memory[slot];
  }

  void clear() {
    Arrays.fill(memory, null);
    count = 0;
  }

  private int find(long iova) {
    int slot = home(iova);
    while (memory[slot] != null) {
      if (iovas[slot] == iova) {
        return slot;
      }
      slot = next(slot);
    }
    return -1;
  }

  private int home(long iova) {
    return (int) ((iova * GOLDEN_RATIO) >>> shift);
  }

  private int next(int slot) {
    return (slot + 1) & (iovas.length - 1);
  }

  private void grow() {
    long[] formerIovas = iovas;
    long[] formerSizes = sizes;
    @Nullable MemorySegment[] formerMemory = memory;
    DmaAccess[] formerAccesses = accesses;
    int length = Math.multiplyExact(iovas.length, 2);
    iovas = new long[length];
    sizes = new long[length];
    memory = new @Nullable MemorySegment[length];
    accesses = new DmaAccess[length];
    shift--;
    count = 0;
    for (int i = 0; i < formerIovas.length; i++) {
      MemorySegment backing = formerMemory[i];
      if (backing != null) {
        put(formerIovas[i], formerSizes[i], backing, formerAccesses[i]);
      }
    }
  }
}
