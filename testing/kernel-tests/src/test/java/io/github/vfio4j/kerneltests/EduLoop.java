package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * Has an edu move pages through its own memory, round after round, each of which is compared. A
 * round may begin in one process and end in another: the driver of the edu would set it up anew.
 */
final class EduLoop {
  private static final long DEVICE_MEMORY = 0x40000;
  private static final int START = 1;
  private static final int FROM_DEVICE = 2;
  private static final int WITH_INTERRUPT = 4;
  private static final int DONE = 0x100;
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final MappedRegion registers;
  private final Interrupt interrupt;
  private final MemorySegment from;
  private final MemorySegment to;
  private final long iova;

  /**
   * Makes one.
   *
   * @param memory two pages, which the device finds at an IOVA
   */
  EduLoop(VfioDevice device, Interrupt interrupt, MemorySegment memory, long iova)
      throws VfioException {
    this.registers = device.pci().bar(0).map();
    this.interrupt = interrupt;
    this.from = memory.asSlice(0, PAGE);
    this.to = memory.asSlice(PAGE, PAGE);
    this.iova = iova;
  }

  void round(int number) throws VfioException {
    begin(number);
    end(number);
  }

  /** Has the device begin to read, which takes it a tenth of a second. */
  void begin(int number) {
    EduDma.fill(from, number);
    to.fill((byte) 0);
    start(iova, DEVICE_MEMORY, START | WITH_INTERRUPT);
  }

  /** Waits for that, has the device write what it has read, and compares. */
  void end(int number) throws VfioException {
    awaitOne();
    start(DEVICE_MEMORY, iova + PAGE, START | FROM_DEVICE | WITH_INTERRUPT);
    awaitOne();
    try (Arena arena = Arena.ofConfined()) {
      if (to.mismatch(EduDma.page(arena, number)) != -1) {
        throw new AssertionError("round " + number + " differs");
      }
    }
  }

  private void start(long source, long destination, int command) {
    registers.setLong(0x80, source);
    registers.setLong(0x88, destination);
    registers.setLong(0x90, PAGE);
    registers.setLongRelease(0x98, command);
  }

  private void awaitOne() throws VfioException {
    long count = interrupt.await(PATIENCE);
    if (count != 1 || registers.getInt(0x24) != DONE) {
      throw new AssertionError(count + " interrupts, status " + registers.getInt(0x24));
    }
    registers.setInt(0x64, DONE);
  }
}
