package io.github.vfio4j.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * The structure of an ioctl that is issued again and again, allocated once: nobody frees it as long
 * as this object is reachable.
 *
 * <p>So its fields are accessed by address. A segment would look at each access whether its memory
 * is still there, whose it is, and whether it may be written, in some 25 instructions.
 *
 * <p>Hot code. It is for one thread at a time.
 */
public final class RepeatedRequest {
  /**
   * What of an address counts: all, and by this the compiler knows that it is aligned and positive.
   * Some processors have user addresses of 52 or 57 bits, and tags above them.
   */
  private static final long ADDRESS = Long.MAX_VALUE >>> 1 & -Long.BYTES;

  @SuppressWarnings("restricted") // each access is inside of memory that is reachable
  private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private final MemorySegment memory;
  private final long address;
  private final long size;

  /** Allocates a structure of zeros that begins with its size. */
  public RepeatedRequest(MemoryLayout layout) {
    this.memory = Request.of(Arena.ofAuto(), layout.withByteAlignment(Long.BYTES));
    this.address = memory.address();
    this.size = memory.byteSize();
  }

  /** Returns the whole structure, for calls and for fields that are set once. */
  public MemorySegment memory() {
    return memory;
  }

  /** Sets a field of 32 bits, at an offset that is a multiple of 4. */
  public void setInt(long at, int value) {
    try {
      INT.set(ALL, place(at, Integer.BYTES), value);
    } finally {
      Reference.reachabilityFence(memory);
    }
  }

  /** Sets a field of 64 bits, at an offset that is a multiple of 8. */
  public void setLong(long at, long value) {
    try {
      LONG.set(ALL, place(at, Long.BYTES), value);
    } finally {
      Reference.reachabilityFence(memory);
    }
  }

  /** Reads a field of 64 bits, at an offset that is a multiple of 8. */
  public long getLong(long at) {
    try {
      return (long) LONG.get(ALL, place(at, Long.BYTES));
    } finally {
      Reference.reachabilityFence(memory);
    }
  }

  private long place(long at, int width) {
    return (address & ADDRESS) + Objects.checkIndex(at, size - width + 1);
  }
}
