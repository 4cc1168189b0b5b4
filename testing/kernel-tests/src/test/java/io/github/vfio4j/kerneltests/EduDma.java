package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Has an edu move whole pages between its own memory and any IOVA, mapped or not. */
final class EduDma {
  static final int PAGE = 4096;

  private static final long DEVICE_MEMORY = 0x40000;
  private static final int START = 1;
  private static final int FROM_DEVICE = 2;

  private EduDma() {}

  static void toDevice(Edu edu, long iova) throws VfioException {
    edu.transfer(iova, DEVICE_MEMORY, PAGE, false);
  }

  static void fromDevice(Edu edu, long iova) throws VfioException {
    edu.transfer(DEVICE_MEMORY, iova, PAGE, true);
  }

  /** Has the device read 4 bytes, the most that QEMU does in one access. */
  static void wordToDevice(Edu edu, long iova) throws VfioException {
    edu.transfer(iova, DEVICE_MEMORY, Integer.BYTES, false);
  }

  static void wordFromDevice(Edu edu, long iova) throws VfioException {
    edu.transfer(DEVICE_MEMORY, iova, Integer.BYTES, true);
  }

  /** Has the device try to write a page, where its interrupt would not get through either. */
  static void attemptFromDevice(Edu edu, long iova) {
    MappedRegion registers = edu.registers();
    registers.setLong(0x80, DEVICE_MEMORY);
    registers.setLong(0x88, iova);
    registers.setLong(0x90, PAGE);
    registers.setLongRelease(0x98, START | FROM_DEVICE);
    while ((registers.getLongAcquire(0x98) & START) != 0) {
      Thread.onSpinWait();
    }
  }

  /** Has the device raise its interrupt, where it would not get through. */
  static void attemptInterrupt(Edu edu) {
    edu.registers().setInt(0x60, 1);
    edu.registers().setInt(0x64, 1);
  }

  /** Moves a page through the device's memory from one IOVA to another. */
  static void move(Edu edu, long from, long to) throws VfioException {
    toDevice(edu, from);
    fromDevice(edu, to);
  }

  static MemorySegment pages(Arena arena, int count) {
    return arena.allocate((long) count * PAGE, PAGE);
  }

  /** Fills memory with bytes that no other seed gives. */
  static void fill(MemorySegment memory, int seed) {
    byte[] bytes = new byte[(int) memory.byteSize()];
    new Random(seed).nextBytes(bytes);
    MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, 0, bytes.length);
  }

  /** A page filled by {@link #fill}. */
  static MemorySegment page(Arena arena, int seed) {
    MemorySegment page = pages(arena, 1);
    fill(page, seed);
    return page;
  }
}
