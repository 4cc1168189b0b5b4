package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;

import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.handover.OpenFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
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

  /**
   * Keeps the device at work, and compares what it moves, until its registers are closed. Each
   * interrupt is waited for, since an emulated processor may take two for one, and left to others.
   *
   * @return how many transfers the device has begun for certain, each of which ends with an
   *     interrupt; one more may have, as a store that meets the closing is lost unseen
   */
  int keepAtWork() {
    int begun = 0;
    try (Arena arena = Arena.ofConfined();
        OpenFile events = OpenFile.of(interrupt)) {
      for (int number = 0; ; number++) {
        MemorySegment wanted = EduDma.page(arena, number & 15);
        from.copyFrom(wanted);
        to.fill((byte) 0);
        start(iova, DEVICE_MEMORY, START | WITH_INTERRUPT);
        requireThere();
        begun++;
        awaitCount(events, begun);
        start(DEVICE_MEMORY, iova + PAGE, START | FROM_DEVICE | WITH_INTERRUPT);
        requireThere();
        begun++;
        awaitCount(events, begun);
        if (to.mismatch(wanted) != -1) {
          throw new AssertionError("what was moved by transfer " + begun + " differs");
        }
      }
    } catch (IllegalStateException closed) {
      return begun;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void requireThere() {
    if (registers.getInt(0) == 0) {
      throw new IllegalStateException("the registers are being closed");
    }
  }

  /** Waits until the interrupt is signalled, as long as the registers are open. */
  private void awaitCount(OpenFile events, int count) throws IOException {
    Path info = Path.of("/proc/self/fdinfo/" + events.fd());
    String reached = "eventfd-count: %16x".formatted(count);
    while (!Files.readAllLines(info).contains(reached)) {
      registers.getInt(0x98);
      Thread.onSpinWait();
    }
  }

  /**
   * Waits for the end of the last transfer that {@link #keepAtWork} has begun in another process,
   * and of its interrupt.
   *
   * @return how many interrupts nobody has taken, as many as the direction of the last transfer
   *     lets there be
   */
  long takeInterrupts() throws VfioException {
    while ((registers.getLongAcquire(0x98) & START) != 0) {
      Thread.onSpinWait();
    }
    long taken = 0;
    long more = interrupt.await(PATIENCE);
    while (more > 0) {
      taken += more;
      more = interrupt.await(Duration.ofSeconds(1));
    }
    registers.setInt(0x64, DONE);
    boolean even = (registers.getLong(0x98) & FROM_DEVICE) != 0;
    if (even != (taken % 2 == 0)) {
      throw new AssertionError(taken + " interrupts, the last transfer was of another number");
    }
    return taken;
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
