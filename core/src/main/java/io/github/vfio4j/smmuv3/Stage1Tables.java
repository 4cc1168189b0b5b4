package io.github.vfio4j.smmuv3;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Page tables of the first stage, as a guest has them: 64-bit Arm's, with pages of 4 KiB and blocks
 * of 2 MiB, for input addresses of 25 to 48 bits.
 *
 * <p>The tables lie in memory that the caller gives and that the {@link
 * io.github.vfio4j.iommufd.Ioas} behind the guest has mapped; both what they map to and where they
 * lie are addresses of that address space, the guest's physical ones. The memory stays the
 * caller's, who keeps it as it is for as long as a device uses the tables. A table once made is
 * kept, also when nothing is mapped in it any more, because the SMMU may have cached where it lies.
 * Methods that come upon an entry of somebody else's throw {@link IllegalStateException}.
 *
 * <p>The SMMU sees each entry change at once and whole, but goes on using what it has cached: after
 * {@link #unmap} and {@link #remap} it has to be told by a {@link CommandBatch}. Not thread-safe:
 * one thread at a time writes, while devices read.
 */
public final class Stage1Tables {
  /** Bytes of a page, and of a table. */
  public static final int PAGE_SIZE = 1 << 12;

  /** Bytes of a block. */
  public static final int BLOCK_SIZE = 1 << 21;

  /** The fewest bits that an input address may have. */
  public static final int LEAST_INPUT_BITS = 25;

  /** The most bits that an input address may have. */
  public static final int MOST_INPUT_BITS = 48;

  static final int OUTPUT_BITS = 48;

  private static final VarHandle ENTRY = JAVA_LONG.withOrder(LITTLE_ENDIAN).varHandle();

  private static final int INDEX_BITS = 9;
  private static final int PAGE_SHIFT = 12;
  private static final int PAGE_LEVEL = 3;
  private static final int BLOCK_LEVEL = 2;

  /** The lowest two bits of an entry, the same for a page and a table. */
  private static final long KIND = 3;

  private static final long TABLE_OR_PAGE = 3;
  private static final long BLOCK = 1;
  private static final long VALID = 1;
  private static final long ADDRESS = (1L << OUTPUT_BITS) - PAGE_SIZE;

  private final MemorySegment memory;
  private final long address;
  private final int inputBits;
  private final int firstLevel;
  private int tables;

  /**
   * The entry that decides on an address: a page, a block, or an invalid one.
   *
   * @param level its table's level
   * @param at where it is in the memory
   * @param bits what it is
   */
  private record Leaf(int level, long at, long bits) {
    boolean mapped() {
      return (bits & VALID) != 0;
    }

    long size() {
      return span(level);
    }
  }

  /**
   * Makes tables that map nothing.
   *
   * @param memory where the tables go, from the first page on; whole pages, of which each table
   *     takes one. What is in it is overwritten
   * @param address the guest physical address of that memory
   * @param inputBits how many bits input addresses have, from {@value #LEAST_INPUT_BITS} to {@value
   *     #MOST_INPUT_BITS}: 64 less the SMMU's TSZ
   * @throws IllegalArgumentException if the memory is less than a page, or not whole pages at both
   *     addresses, or the number of bits is another
   */
  public Stage1Tables(MemorySegment memory, long address, int inputBits) {
    if (memory.byteSize() < PAGE_SIZE
        || memory.byteSize() % PAGE_SIZE != 0
        || memory.maxByteAlignment() < PAGE_SIZE
        || address % PAGE_SIZE != 0
        || address < 0
        || address > (1L << OUTPUT_BITS) - memory.byteSize()) {
      throw new IllegalArgumentException(
          "Tables are whole pages below 2^%d: not %s at 0x%x"
              .formatted(OUTPUT_BITS, memory, address));
    }
    if (inputBits < LEAST_INPUT_BITS || inputBits > MOST_INPUT_BITS) {
      throw new IllegalArgumentException(
          "Input addresses have %d to %d bits, not %d"
              .formatted(LEAST_INPUT_BITS, MOST_INPUT_BITS, inputBits));
    }
    this.memory = memory;
    this.address = address;
    this.inputBits = inputBits;
    this.firstLevel = (MOST_INPUT_BITS - inputBits) / INDEX_BITS;
    newTable();
  }

  /**
   * Returns where the SMMU starts to walk.
   *
   * @return the guest physical address of the first table
   */
  public long root() {
    return address;
  }

  /**
   * Returns how large the input address space is.
   *
   * @return bits of an input address
   */
  public int inputBits() {
    return inputBits;
  }

  /**
   * Returns for how many further tables there is memory.
   *
   * @return tables, each of which takes a page of memory
   */
  public int freeTables() {
    return (int) Math.min(Integer.MAX_VALUE, memory.byteSize() / PAGE_SIZE - tables);
  }

  /**
   * Maps a range, by blocks where both addresses allow them and no table is in their place, else by
   * pages. What was not mapped before needs no invalidation.
   *
   * @param input the first input address
   * @param output the guest physical address behind it
   * @param size bytes; all three are multiples of {@link #PAGE_SIZE}
   * @param flags how the mapping differs from the ordinary one
   * @throws IllegalArgumentException if a number is not whole pages or too large, or a part of the
   *     range is mapped; nothing is mapped then
   * @throws IllegalStateException if there is not enough memory for tables; nothing is mapped then
   */
  public void map(long input, long output, long size, PageFlag... flags) {
    requireRange(input, size);
    requireOutput(output, size);
    requireNothingMapped(input, size);
    requireRoom(input, output, size);
    long attributes = PageFlag.attributes(flags);
    long done = 0;
    while (done < size) {
      done += mapLeaf(input + done, output + done, size - done, attributes);
    }
  }

  private long mapLeaf(long input, long output, long size, long attributes) {
    int level = takesBlock(input, output, size) ? BLOCK_LEVEL : PAGE_LEVEL;
    long table = 0;
    for (int upper = firstLevel; upper < level; upper++) {
      long at = table + offset(input, upper);
      if (!isTable(get(at))) {
        set(at, address + newTable() | TABLE_OR_PAGE);
      }
      table = tableOf(get(at));
    }
    set(table + offset(input, level), leaf(level, output, attributes));
    return span(level);
  }

  /**
   * Changes what a mapped range maps to and how, each page and block by one write.
   *
   * <p>Invalidate it afterwards; until then DMA goes the old way or the new one. The architecture
   * asks for more where the output address changes under DMA that writes: {@link #unmap},
   * invalidate, then {@link #map}.
   *
   * @param input the first input address
   * @param output the new guest physical address behind it
   * @param size bytes; all three are multiples of {@link #PAGE_SIZE}, and of {@link #BLOCK_SIZE}
   *     where a block is mapped
   * @param flags how the new mapping differs from the ordinary one
   * @throws IllegalArgumentException if a number is not whole pages or too large, a part of the
   *     range is not mapped, or the range has a part of a block; nothing is changed then
   */
  public void remap(long input, long output, long size, PageFlag... flags) {
    requireRange(input, size);
    requireOutput(output, size);
    requireMapped(input, output - input, size);
    long attributes = PageFlag.attributes(flags);
    long done = 0;
    while (done < size) {
      Leaf leaf = leafAt(input + done);
      set(leaf.at(), leaf(leaf.level(), output + done, attributes));
      done += leaf.size();
    }
  }

  /**
   * Unmaps a range. Invalidate it afterwards; until then DMA may still go there.
   *
   * @param input the first input address
   * @param size bytes; both are multiples of {@link #PAGE_SIZE}
   * @throws IllegalArgumentException if a number is not whole pages or too large, a part of the
   *     range is not mapped, or the range has a part of a block; nothing is unmapped then
   */
  public void unmap(long input, long size) {
    requireRange(input, size);
    requireMapped(input, 0, size);
    long done = 0;
    while (done < size) {
      Leaf leaf = leafAt(input + done);
      set(leaf.at(), 0);
      done += leaf.size();
    }
  }

  private void requireRange(long input, long size) {
    long end = 1L << inputBits;
    if (size <= 0
        || (input | size) % PAGE_SIZE != 0
        || input < 0
        || size > end
        || input > end - size) {
      throw new IllegalArgumentException(
          "0x%x bytes at input address 0x%x are not whole pages below 2^%d"
              .formatted(size, input, inputBits));
    }
  }

  private static void requireOutput(long output, long size) {
    if (output % PAGE_SIZE != 0 || output < 0 || output > (1L << OUTPUT_BITS) - size) {
      throw new IllegalArgumentException(
          "0x%x bytes at output address 0x%x are not whole pages below 2^%d"
              .formatted(size, output, OUTPUT_BITS));
    }
  }

  private void requireNothingMapped(long input, long size) {
    long at = input;
    while (at < input + size) {
      Leaf leaf = leafAt(at);
      if (leaf.mapped()) {
        throw new IllegalArgumentException("0x%x is mapped already".formatted(at));
      }
      at = (at | leaf.size() - 1) + 1;
    }
  }

  /** Refuses a range that is not mapped, or whose blocks are cut or would be at odd addresses. */
  private void requireMapped(long input, long distance, long size) {
    long at = input;
    while (at < input + size) {
      Leaf leaf = leafAt(at);
      if (!leaf.mapped()) {
        throw new IllegalArgumentException("0x%x is not mapped".formatted(at));
      }
      if ((at | at + distance) % leaf.size() != 0 || input + size - at < leaf.size()) {
        throw new IllegalArgumentException(
            "0x%x bytes at 0x%x have a part of the block at 0x%x, or would move it to a part of one"
                .formatted(size, input, at & -leaf.size()));
      }
      at += leaf.size();
    }
  }

  private void requireRoom(long input, long output, long size) {
    int missing = 0;
    for (int level = firstLevel; level < PAGE_LEVEL; level++) {
      long first = input & -span(level);
      for (long at = first; at < input + size; at += span(level)) {
        long start = Math.max(at, input);
        boolean block =
            level == BLOCK_LEVEL
                && takesBlock(start, output + (start - input), input + size - start);
        if (!block && !hasTableBelow(at, level)) {
          missing++;
        }
      }
    }
    if (missing > freeTables()) {
      throw new IllegalStateException(
          "%d tables are needed to map 0x%x bytes at 0x%x, and there is memory for %d"
              .formatted(missing, size, input, freeTables()));
    }
  }

  private boolean takesBlock(long input, long output, long size) {
    return (input | output) % BLOCK_SIZE == 0
        && size >= BLOCK_SIZE
        && !hasTableBelow(input, BLOCK_LEVEL);
  }

  /** Returns whether the entry of a level for an address is a table. */
  private boolean hasTableBelow(long input, int level) {
    return leafAt(input).level() > level;
  }

  private Leaf leafAt(long input) {
    long at = offset(input, firstLevel);
    int level = firstLevel;
    while (level < PAGE_LEVEL && isTable(get(at))) {
      level++;
      at = tableOf(get(at)) + offset(input, level);
    }
    return new Leaf(level, at, get(at));
  }

  private static long leaf(int level, long output, long attributes) {
    return output | attributes | (level == PAGE_LEVEL ? TABLE_OR_PAGE : BLOCK);
  }

  /** Takes a page of the memory for a table that maps nothing, and returns where it is. */
  private long newTable() {
    long at = (long) tables * PAGE_SIZE;
    memory.asSlice(at, PAGE_SIZE).fill((byte) 0);
    tables++;
    return at;
  }

  private long tableOf(long entry) {
    long at = (entry & ADDRESS) - address;
    if (at < 0 || at > memory.byteSize() - PAGE_SIZE) {
      throw new IllegalStateException(
          "The entry 0x%x points to a table outside these tables: somebody else has written there"
              .formatted(entry));
    }
    return at;
  }

  private static boolean isTable(long entry) {
    return (entry & KIND) == TABLE_OR_PAGE;
  }

  /** Bytes that one entry of a level stands for. */
  private static long span(int level) {
    return 1L << (PAGE_SHIFT + INDEX_BITS * (PAGE_LEVEL - level));
  }

  private static long offset(long input, int level) {
    return input / span(level) % (1 << INDEX_BITS) * Long.BYTES;
  }

  private long get(long at) {
    return (long) ENTRY.getOpaque(memory, at);
  }

  /** Writes an entry after what it points to. */
  private void set(long at, long entry) {
    ENTRY.setRelease(memory, at, entry);
  }

  /** Returns where the tables are, and how many of the pages there they take. */
  @Override
  public String toString() {
    return "%d stage-1 tables in 0x%x bytes at 0x%x".formatted(tables, memory.byteSize(), address);
  }
}
