package io.github.vfio4j.kerneltests;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/** Asks an NVMe controller who it is, which takes the controller three pages of DMA. */
final class NvmeAdmin {
  static final int PAGES = 3;

  private static final long CONFIGURATION = 0x14;
  private static final long STATUS = 0x1c;
  private static final long ADMIN_QUEUE_SIZES = 0x24;
  private static final long SUBMISSION_QUEUE = 0x28;
  private static final long COMPLETION_QUEUE = 0x30;
  static final long SUBMISSION_DOORBELL = 0x1000;

  /** Enabled, with entries of 64 and 16 bytes. */
  private static final int ENABLE = 1 | 6 << 16 | 4 << 20;

  private static final int IDENTIFY = 0x06;
  private static final int CONTROLLER = 1;
  private static final int PHASE = 1 << 16;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final VfioDevice device;
  private final long iova;
  private final MemorySegment commands;
  private final MemorySegment completions;
  private final MemorySegment answer;

  /**
   * Uses three pages.
   *
   * @param iova where the device sees them, one after the other
   */
  NvmeAdmin(VfioDevice device, long iova, IntFunction<MemorySegment> pages) {
    this.device = device;
    this.iova = iova;
    this.commands = pages.apply(0);
    this.completions = pages.apply(1);
    this.answer = pages.apply(2);
  }

  /** Tells whether the controller runs; a reset stops it. */
  boolean isReady() throws VfioException {
    return device.region(0).readInt(STATUS) == 1;
  }

  /** Tells it that there is a command. */
  @FunctionalInterface
  interface Doorbell {
    void ring() throws VfioException;
  }

  /** Starts the controller anew, asks it, and leaves it running. */
  String serialNumber() throws VfioException {
    try (MappedRegion doorbells = device.region(0).map()) {
      return serialNumber(() -> doorbells.setIntRelease(SUBMISSION_DOORBELL, 1));
    }
  }

  /** The same, with a doorbell that writes 1 to the tail of the submission queue. */
  String serialNumber(Doorbell doorbell) throws VfioException {
    for (MemorySegment page : new MemorySegment[] {commands, completions, answer}) {
      page.fill((byte) 0);
    }
    device.pci().config().setBusMaster(true);
    try (MappedRegion registers = device.region(0).map()) {
      registers.setInt(CONFIGURATION, 0);
      registers.awaitInt(STATUS, -1, 0, PATIENCE);
      registers.setInt(ADMIN_QUEUE_SIZES, 1 << 16 | 1);
      registers.setLong(SUBMISSION_QUEUE, iova);
      registers.setLong(COMPLETION_QUEUE, iova + EduDma.PAGE);
      registers.setIntRelease(CONFIGURATION, ENABLE);
      registers.awaitInt(STATUS, -1, 1, PATIENCE);

      commands.set(JAVA_INT, 0, IDENTIFY);
      commands.set(JAVA_LONG, 24, iova + 2 * EduDma.PAGE);
      commands.set(JAVA_INT, 40, CONTROLLER);
      doorbell.ring();
      await("done", () -> completions.get(JAVA_INT, 12) == PHASE);
    }
    return new String(answer.asSlice(4, 20).toArray(JAVA_BYTE), US_ASCII).strip();
  }

  private static void await(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("it is not " + what).isLessThan(end);
      Thread.onSpinWait();
    }
  }
}
