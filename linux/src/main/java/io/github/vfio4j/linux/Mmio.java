package io.github.vfio4j.linux;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Single accesses to device memory, at an offset from a base.
 *
 * <p>Each is one load or store of its natural width, little-endian, that the compiler neither
 * splits, merges, repeats nor drops. The caller has proved that the offset is mapped and aligned.
 *
 * <p>A base is an address divided by {@link #ALIGNMENT}: from the shift the compiler knows that the
 * address is aligned and not negative, and leaves out the checks that a memory segment would make
 * once more. They are half of the instructions of an access.
 *
 * <p>Stores of 8 and 16 bits are plain ones between fences, which keep the compiler from merging
 * them and are no instructions on x86. An opaque or releasing one is an {@code xchg} in HotSpot's
 * interpreter, and HotSpot for x86 crashes when a device refuses an {@code xchg} of these widths:
 * it does not know how long the instruction is that it has to leave out.
 */
public final class Mmio {
  /** Device memory is mapped at multiples of this many bytes. */
  static final long ALIGNMENT = 1 << 16;

  /** Addresses are below this: no kernel gives higher ones unasked, and a base is an int. */
  static final long HIGHEST_ADDRESS = (1L << 48) - 1;

  private static final int SHIFT = Long.numberOfTrailingZeros(ALIGNMENT);

  @SuppressWarnings("restricted") // the callers prove their addresses
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();
  private static final VarHandle SHORT =
      ValueLayout.JAVA_SHORT.withOrder(LITTLE_ENDIAN).varHandle();
  private static final VarHandle INT = ValueLayout.JAVA_INT.withOrder(LITTLE_ENDIAN).varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.withOrder(LITTLE_ENDIAN).varHandle();

  private Mmio() {}

  private static long address(int base, long offset) {
    return (Integer.toUnsignedLong(base) << SHIFT) + offset;
  }

  public static byte getByte(int base, long offset) {
    return (byte) BYTE.getOpaque(MEMORY, address(base, offset));
  }

  public static byte getByteAcquire(int base, long offset) {
    return (byte) BYTE.getAcquire(MEMORY, address(base, offset));
  }

  public static void setByte(int base, long offset, byte value) {
    VarHandle.storeStoreFence();
    BYTE.set(MEMORY, address(base, offset), value);
    VarHandle.storeStoreFence();
  }

  public static void setByteRelease(int base, long offset, byte value) {
    VarHandle.releaseFence();
    BYTE.set(MEMORY, address(base, offset), value);
    VarHandle.storeStoreFence();
  }

  public static short getShort(int base, long offset) {
    return (short) SHORT.getOpaque(MEMORY, address(base, offset));
  }

  public static short getShortAcquire(int base, long offset) {
    return (short) SHORT.getAcquire(MEMORY, address(base, offset));
  }

  public static void setShort(int base, long offset, short value) {
    VarHandle.storeStoreFence();
    SHORT.set(MEMORY, address(base, offset), value);
    VarHandle.storeStoreFence();
  }

  public static void setShortRelease(int base, long offset, short value) {
    VarHandle.releaseFence();
    SHORT.set(MEMORY, address(base, offset), value);
    VarHandle.storeStoreFence();
  }

  public static int getInt(int base, long offset) {
    return (int) INT.getOpaque(MEMORY, address(base, offset));
  }

  public static int getIntAcquire(int base, long offset) {
    return (int) INT.getAcquire(MEMORY, address(base, offset));
  }

  public static void setInt(int base, long offset, int value) {
    INT.setOpaque(MEMORY, address(base, offset), value);
  }

  public static void setIntRelease(int base, long offset, int value) {
    INT.setRelease(MEMORY, address(base, offset), value);
  }

  public static long getLong(int base, long offset) {
    return (long) LONG.getOpaque(MEMORY, address(base, offset));
  }

  public static long getLongAcquire(int base, long offset) {
    return (long) LONG.getAcquire(MEMORY, address(base, offset));
  }

  public static void setLong(int base, long offset, long value) {
    LONG.setOpaque(MEMORY, address(base, offset), value);
  }

  public static void setLongRelease(int base, long offset, long value) {
    LONG.setRelease(MEMORY, address(base, offset), value);
  }
}
