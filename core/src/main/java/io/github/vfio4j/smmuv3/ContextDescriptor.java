package io.github.vfio4j.smmuv3;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * A context descriptor (CD): which page tables translate for a stream, and how.
 *
 * <p>It is 64 bytes in the guest's memory, to which {@link ArmSmmuv3StreamTableEntry#translate}
 * points. A fault ends the access and is recorded as an event; nothing stalls.
 *
 * @param tables the guest physical address of the first table, a multiple of 4096
 * @param inputBits how many bits input addresses have, from 25 to 48
 * @param asid the address space ID, by which invalidations name the tables; from 0 to 65535, or 255
 *     where the SMMU has 8 bits
 */
public record ContextDescriptor(long tables, int inputBits, int asid) {
  /** Bytes of a descriptor. */
  public static final int SIZE = 64;

  /** Which byte of MAIR says what device memory is. */
  static final int DEVICE_MEMORY = 1;

  private static final VarHandle WORD = JAVA_LONG.withOrder(LITTLE_ENDIAN).varHandle();

  private static final int WORDS = SIZE / Long.BYTES;
  private static final int TABLES = 1;
  private static final int MEMORY_TYPES = 3;

  /** Memory type 0: cached, write-back, allocated on reads and writes. */
  private static final long CACHED = 0xff;

  /** Memory type 1: device, accesses in order and one by one, early acknowledged (nGnRE). */
  private static final long REGISTERS = 0x04L << (8 * DEVICE_MEMORY);

  /** IR0 and OR0 = write-back and allocate, SH0 = inner shareable, for walks of the tables. */
  private static final long WALKS = 1L << 8 | 1L << 10 | 3L << 12;

  /** EPD1: there are no tables for the upper half of addresses. */
  private static final long NO_UPPER_HALF = 1L << 30;

  private static final long VALID = 1L << 31;

  /** IPS: output addresses have 48 bits, or as many as the SMMU has. */
  private static final long OUTPUT_48_BITS = 5L << 32;

  private static final long AARCH64 = 1L << 41;

  /** R and A: a fault is recorded, and the device gets an abort. */
  private static final long RECORD_AND_ABORT = 1L << 45 | 1L << 46;

  /** ASET: the processors' own invalidations do not reach these tables. */
  private static final long OWN_ASID = 1L << 47;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is outside what is said of it
   */
  public ContextDescriptor {
    if (tables % Stage1Tables.PAGE_SIZE != 0 || tables >>> Stage1Tables.OUTPUT_BITS != 0) {
      throw new IllegalArgumentException(
          "Tables are at a multiple of %d below 2^%d, not at 0x%x"
              .formatted(Stage1Tables.PAGE_SIZE, Stage1Tables.OUTPUT_BITS, tables));
    }
    if (inputBits < Stage1Tables.LEAST_INPUT_BITS || inputBits > Stage1Tables.MOST_INPUT_BITS) {
      throw new IllegalArgumentException(
          "Input addresses have %d to %d bits, not %d"
              .formatted(Stage1Tables.LEAST_INPUT_BITS, Stage1Tables.MOST_INPUT_BITS, inputBits));
    }
    CommandBatch.requireAsid(asid);
  }

  /**
   * Describes page tables.
   *
   * @param tables the page tables
   * @param asid as in the record
   * @return the descriptor
   * @throws IllegalArgumentException if the address space ID has more than 16 bits
   */
  public static ContextDescriptor of(Stage1Tables tables, int asid) {
    return new ContextDescriptor(tables.root(), tables.inputBits(), asid);
  }

  /**
   * Writes the descriptor into the guest's memory; its valid bit comes last.
   *
   * <p>Over a valid one whose device does DMA, {@link #clear} that first and tell the SMMU: it
   * reads a descriptor in several steps, and may keep it until {@link CommandBatch#cfgiCd}.
   *
   * @param memory the memory
   * @param offset where in it, a multiple of {@link #SIZE}
   * @throws IllegalArgumentException if memory or offset is not so aligned
   * @throws IllegalStateException if the memory's arena is closed
   * @throws IndexOutOfBoundsException if the memory ends before
   */
  public void write(MemorySegment memory, long offset) {
    MemorySegment target = target(memory, offset);
    for (int word = 1; word < WORDS; word++) {
      long bits =
          switch (word) {
            case TABLES -> tables;
            case MEMORY_TYPES -> CACHED | REGISTERS;
            default -> 0;
          };
      WORD.setOpaque(target, (long) word * Long.BYTES, bits);
    }
    WORD.setRelease(target, 0L, firstWord());
  }

  private long firstWord() {
    return (Long.SIZE - inputBits)
        | WALKS
        | NO_UPPER_HALF
        | VALID
        | OUTPUT_48_BITS
        | AARCH64
        | RECORD_AND_ABORT
        | OWN_ASID
        | (long) asid << 48;
  }

  /**
   * Makes a descriptor in the guest's memory invalid: once the SMMU is told, all DMA through it
   * ends in {@link EventReason#C_BAD_CD}.
   *
   * @param memory the memory
   * @param offset where in it, a multiple of {@link #SIZE}
   * @throws IllegalArgumentException if memory or offset is not so aligned
   * @throws IllegalStateException if the memory's arena is closed
   * @throws IndexOutOfBoundsException if the memory ends before
   */
  public static void clear(MemorySegment memory, long offset) {
    WORD.setRelease(target(memory, offset), 0L, 0L);
  }

  private static MemorySegment target(MemorySegment memory, long offset) {
    return memory.asSlice(offset, SIZE, SIZE);
  }
}
