package io.github.vfio4j.edu;

import io.github.vfio4j.DmaAccess;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Random sequences of register accesses to an edu, and all that was seen meanwhile: two edus that
 * behave alike have seen the same.
 */
public final class EduSequences implements AutoCloseable {
  private static final long IOVA = 0x100000;
  private static final int MEMORY = 0x40000;
  private static final int PAGE = 4096;
  private static final int STEPS = 12;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final long LIVENESS = 0x04;
  private static final long FACTORIAL = 0x08;
  private static final long STATUS = 0x20;
  private static final long INTERRUPT_STATUS = 0x24;
  private static final long RAISE = 0x60;
  private static final long ACKNOWLEDGE = 0x64;
  private static final long SOURCE = 0x80;
  private static final long DESTINATION = 0x88;
  private static final long COUNT = 0x90;
  private static final long COMMAND = 0x98;

  /** Where 32 bits are read: registers, halves of registers, and what is none. */
  private static final long[] WORDS = {
    0,
    LIVENESS,
    FACTORIAL,
    0x0c,
    STATUS,
    INTERRUPT_STATUS,
    RAISE,
    SOURCE,
    0x84,
    COUNT,
    COMMAND,
    0xa0
  };

  /** Where 64 bits are read: some take 32 bits only. */
  private static final long[] LONG_WORDS = {0, 0x20, SOURCE, DESTINATION, COUNT, COMMAND, 0xa0};

  private final Random random;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment memory = arena.allocate(PAGE, PAGE);
  private final VfioDevice device;
  private final MappedRegion registers;
  private final Interrupt interrupt;
  private List<String> seen = new ArrayList<>();

  /**
   * Brings a device into a state that is the same for all.
   *
   * @param seed which sequences
   */
  public EduSequences(VfioDevice device, long seed) throws VfioException {
    this.device = device;
    this.random = new Random(seed);
    this.registers = device.pci().bar(0).map();
    this.interrupt = device.pci().msi().enable(0);
    device.pci().config().setBusMaster(true);
    device.addressSpace().map(memory, IOVA, DmaAccess.READ_WRITE);
    registers.setInt(STATUS, 0);
    registers.setInt(ACKNOWLEDGE, -1);
    registers.setInt(LIVENESS, 0);
    factorial(0);
    dma(false, 0, 0, PAGE, false);
    interrupt.await(Duration.ZERO);
  }

  /** Plays one sequence, and returns what was seen. */
  public List<String> next() throws VfioException {
    seen = new ArrayList<>();
    for (int step = 0; step < STEPS; step++) {
      step(random.nextInt(100));
    }
    return seen;
  }

  private void step(int dice) throws VfioException {
    if (dice < 30) {
      long at = WORDS[random.nextInt(WORDS.length)];
      see("word at 0x%x: 0x%x".formatted(at, registers.getInt(at)));
    } else if (dice < 45) {
      long at = LONG_WORDS[random.nextInt(LONG_WORDS.length)];
      see("long word at 0x%x: 0x%x".formatted(at, registers.getLong(at)));
    } else if (dice < 55) {
      registers.setInt(LIVENESS, random.nextInt());
      see("liveness 0x%x".formatted(registers.getInt(LIVENESS)));
    } else if (dice < 60) {
      registers.setLong(LIVENESS - 4, random.nextLong()); // too wide, so it does nothing
    } else if (dice < 68) {
      factorial(random.nextInt(20));
    } else if (dice < 74) {
      registers.setInt(STATUS, random.nextInt() & ~1);
      see("status 0x%x".formatted(registers.getInt(STATUS)));
    } else if (dice < 82) {
      registers.setInt(RAISE, random.nextInt(16));
      awaitInterrupt();
    } else if (dice < 90) {
      registers.setInt(ACKNOWLEDGE, random.nextInt(16));
      see("interrupts 0x%x".formatted(registers.getInt(INTERRUPT_STATUS)));
    } else if (dice < 99) {
      long register = new long[] {SOURCE, DESTINATION, COUNT}[random.nextInt(3)];
      if (random.nextBoolean()) {
        registers.setLong(register, random.nextLong());
      } else {
        registers.setInt(register, random.nextInt());
      }
      see("register 0x%x".formatted(registers.getLong(register)));
    } else {
      int count = 1 + random.nextInt(PAGE);
      int there = random.nextInt(PAGE - count + 1);
      int here = random.nextInt(PAGE - count + 1);
      dma(random.nextBoolean(), here, there, count, random.nextBoolean());
    }
  }

  private void factorial(int number) throws VfioException {
    boolean interrupts = (registers.getInt(STATUS) & 0x80) != 0;
    registers.setInt(FACTORIAL, number);
    while ((registers.getInt(STATUS) & 1) != 0) {
      Thread.onSpinWait();
    }
    if (interrupts) { // which comes a moment after the status has changed
      see("%d interrupt".formatted(interrupt.await(PATIENCE)));
      see("interrupts 0x%x".formatted(registers.getInt(INTERRUPT_STATUS)));
    }
    see("factorial 0x%x".formatted(registers.getInt(FACTORIAL)));
  }

  private void dma(boolean toMemory, int here, int there, int count, boolean interrupts)
      throws VfioException {
    if (!toMemory) {
      byte[] bytes = new byte[PAGE];
      random.nextBytes(bytes);
      memory.copyFrom(MemorySegment.ofArray(bytes));
    }
    registers.setLong(SOURCE, toMemory ? MEMORY + there : IOVA + here);
    registers.setLong(DESTINATION, toMemory ? IOVA + here : MEMORY + there);
    registers.setLong(COUNT, count);
    registers.setLongRelease(COMMAND, 1 | (toMemory ? 2 : 0) | (interrupts ? 4 : 0));
    while ((registers.getLongAcquire(COMMAND) & 1) != 0) {
      Thread.onSpinWait();
    }
    if (interrupts) {
      awaitInterrupt();
    }
    see(
        "memory %x, command 0x%x"
            .formatted(
                Arrays.hashCode(memory.toArray(ValueLayout.JAVA_BYTE)),
                registers.getLong(COMMAND)));
  }

  /** Waits for the interrupt that comes where the device wants attention. */
  private void awaitInterrupt() throws VfioException {
    int status = registers.getInt(INTERRUPT_STATUS);
    long count = status == 0 ? 0 : interrupt.await(PATIENCE);
    see("interrupt %d of 0x%x".formatted(count, status));
  }

  private void see(String what) {
    seen.add(what);
  }

  @Override
  public void close() throws VfioException {
    device.close();
    arena.close();
  }
}
