package io.github.vfio4j.mapping;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is mapped where: an IOVA's size, its access, and the memory behind it, which is kept
 * reachable.
 *
 * <p>A hash table with linear probing over arrays, because entering and removing a mapping must not
 * allocate. Not thread-safe.
 */
public final class MappingTable {
  private static final long GOLDEN_RATIO = 0x9e3779b97f4a7c15L;
  private static final int SMALLEST = 16;

  private static final int FIELDS = 3;
  private static final int IOVA = 0;
  private static final int SIZE = 1;

  /** What tells a mapping from others that come to its IOVA later. */
  private static final int SERIAL = 2;

  /** What is behind a mapping that the backend does not have, and whose IOVA is kept. */
  private static final MemorySegment NOTHING = MemorySegment.ofArray(new byte[0]);

  /** The number of no mapping. */
  static final long NO_SERIAL = 0;

  /** Some fields for each slot, side by side: one line of cache, one check of bounds. */
  private long[] numbers;

  /**
   * The memory behind each slot's mapping, or null where the slot is empty. They are segments; an
   * array that says so would have the JVM look through their class's interfaces at each store.
   */
  private @Nullable Object[] memory;

  private DmaAccess[] accesses;

  /** What was behind mappings before, by their numbers. */
  private final Map<Long, List<MemorySegment>> former = new HashMap<>();

  private long lastSerial = NO_SERIAL;
  private int shift;
  private int count;

  MappingTable() {
    this(SMALLEST);
  }

  private MappingTable(int length) {
    numbers = new long[Math.multiplyExact(length, FIELDS)];
    memory = new @Nullable Object[length];
    accesses = new DmaAccess[length];
    shift = Long.SIZE - Integer.numberOfTrailingZeros(length);
  }

  /** Returns a table of the same mappings. */
  MappingTable copy() {
    MappingTable copy = new MappingTable(memory.length);
    System.arraycopy(numbers, 0, copy.numbers, 0, numbers.length);
    System.arraycopy(memory, 0, copy.memory, 0, memory.length);
    System.arraycopy(accesses, 0, copy.accesses, 0, accesses.length);
    copy.count = count;
    return copy;
  }

  int count() {
    return count;
  }

  /** Makes room for one more mapping, so that entering it cannot fail. */
  void makeRoom() {
    if (count >= memory.length / 2) {
      grow();
    }
  }

  /** Returns the number of the mapping that is entered next, which no other has. */
  long nextSerial() {
    return lastSerial + 1;
  }

  /** Enters a mapping whose IOVA is not in the table, where there is room. */
  void add(long iova, long size, MemorySegment backing, DmaAccess access) {
    lastSerial++;
    insert(iova, size, backing, access, lastSerial);
  }

  private void insert(long iova, long size, MemorySegment backing, DmaAccess access, long serial) {
    int slot = home(iova);
    while (memory[slot] != null) {
      slot = next(slot);
    }
    int first = slot * FIELDS;
    numbers[first + IOVA] = iova;
    numbers[first + SIZE] = size;
    numbers[first + SERIAL] = serial;
    memory[slot] = backing;
    accesses[slot] = access;
    count++;
  }

  /** Returns the size in bytes of the mapping that starts at an IOVA, or 0 where none does. */
  long sizeAt(long iova) {
    int slot = find(iova);
    return slot < 0 ? 0 : number(slot, SIZE);
  }

  /** Returns whether the mapping that starts at an IOVA is the one of this number. */
  boolean holds(long iova, long serial) {
    int slot = find(iova);
    return slot >= 0 && number(slot, SERIAL) == serial;
  }

  /**
   * Returns where the mapping of exactly this extent is in the table, or a negative number where
   * there is none; true until the table changes.
   */
  int find(long iova, long size) {
    int slot = find(iova);
    return slot >= 0 && number(slot, SIZE) == size ? slot : -1;
  }

  /** Returns what a device may do with the mapping that {@link #find(long, long)} has found. */
  DmaAccess accessOf(int found) {
    return accesses[found];
  }

  /** Returns the memory behind the mapping that {@link #find(long, long)} has found. */
  MemorySegment memoryOf(int found) {
    return Objects.requireNonNull(memoryIn(found));
  }

  /**
   * Keeps the memory of a mapping reachable as long as that is mapped, even if it is replaced:
   * devices may reach its pages.
   */
  void keep(int found) {
    former.keySet().removeIf(serial -> !isSerial(serial));
    former.computeIfAbsent(number(found, SERIAL), serial -> new ArrayList<>()).add(memoryOf(found));
  }

  private boolean isSerial(long serial) {
    for (int slot = 0; slot < memory.length; slot++) {
      if (memory[slot] != null && number(slot, SERIAL) == serial) {
        return true;
      }
    }
    return false;
  }

  /** Puts other memory behind the mapping that {@link #find(long, long)} has found. */
  void replaceMemory(int found, MemorySegment replacement) {
    memory[found] = replacement;
  }

  /** Removes the mapping that {@link #find(long, long)} has found. */
  void removeAt(int found) {
    int hole = found;
    count--;
    int slot = hole;
    while (true) {
      slot = next(slot);
      if (memory[slot] == null) {
        memory[hole] = null;
        return;
      }
      int distanceFromHome = (slot - home(number(slot, IOVA))) & (memory.length - 1);
      int distanceFromHole = (slot - hole) & (memory.length - 1);
      if (distanceFromHome >= distanceFromHole) {
        System.arraycopy(numbers, slot * FIELDS, numbers, hole * FIELDS, FIELDS);
        memory[hole] = memory[slot];
        accesses[hole] = accesses[slot];
        hole = slot;
      }
    }
  }

  /** Is told of mappings. */
  @FunctionalInterface
  public interface Visitor {
    void visit(long iova, long size, MemorySegment backing, DmaAccess access) throws VfioException;
  }

  void forEach(Visitor visitor) throws VfioException {
    for (int slot = 0; slot < memory.length; slot++) {
      MemorySegment backing = memoryIn(slot);
      if (backing != null) {
        visitor.visit(number(slot, IOVA), number(slot, SIZE), backing, accesses[slot]);
      }
    }
  }

  /** Takes over the mappings of another table, which is of no use any more. */
  private void replaceBy(MappingTable other) {
    numbers = other.numbers;
    memory = other.memory;
    accesses = other.accesses;
    shift = other.shift;
    count = other.count;
  }

  /** Has nothing be behind a mapping from now on. */
  void empty(int slot) {
    memory[slot] = NOTHING;
  }

  /** Has something be behind a mapping again. */
  void fill(int slot, MemorySegment backing, DmaAccess access) {
    memory[slot] = backing;
    accesses[slot] = access;
  }

  boolean isEmpty(int slot) {
    return isNothing(memoryIn(slot));
  }

  static boolean isNothing(@Nullable MemorySegment backing) {
    return NOTHING.equals(backing);
  }

  /** Returns whether memory of a lifetime is behind one of the mappings. */
  boolean hold(MemorySegment.Scope lifetime) {
    for (Map.Entry<Long, List<MemorySegment>> kept : former.entrySet()) {
      if (kept.getValue().stream().anyMatch(each -> each.scope().equals(lifetime))
          && isSerial(kept.getKey())) {
        return true;
      }
    }
    for (int slot = 0; slot < memory.length; slot++) {
      MemorySegment backing = memoryIn(slot);
      if (backing != null && backing.scope().equals(lifetime)) {
        return true;
      }
    }
    return false;
  }

  /** Returns the memory behind the mapping that starts at an IOVA, or null where none does. */
  @Nullable MemorySegment memoryAt(long iova) {
    int slot = find(iova);
    return slot < 0 ? null : memoryIn(slot);
  }

  void clear() {
    Arrays.fill(memory, null);
    former.clear();
    count = 0;
  }

  private int find(long iova) {
    int slot = home(iova);
    while (memory[slot] != null) {
      if (number(slot, IOVA) == iova) {
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
    return (slot + 1) & (memory.length - 1);
  }

  private @Nullable MemorySegment memoryIn(int slot) {
    return (MemorySegment) memory[slot];
  }

  private long number(int slot, int field) {
    return numbers[slot * FIELDS + field];
  }

  /** Doubles the table, or leaves it as it was where there is no memory. */
  private void grow() {
    MappingTable larger = new MappingTable(Math.multiplyExact(memory.length, 2));
    for (int i = 0; i < memory.length; i++) {
      MemorySegment backing = memoryIn(i);
      if (backing != null) {
        larger.insert(number(i, IOVA), number(i, SIZE), backing, accesses[i], number(i, SERIAL));
      }
    }
    replaceBy(larger);
  }
}
