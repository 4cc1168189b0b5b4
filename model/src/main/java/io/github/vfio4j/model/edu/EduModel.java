package io.github.vfio4j.model.edu;

import io.github.vfio4j.model.Bar;
import io.github.vfio4j.model.Bus;
import io.github.vfio4j.model.DeviceModel;
import io.github.vfio4j.model.PciLayout;
import io.github.vfio4j.model.Registers;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's {@code edu}: a few registers, a memory of 4096 bytes that only DMA reaches, and one
 * interrupt.
 *
 * <p>It does at once what QEMU's does a little later, a factorial and DMA; otherwise a driver
 * cannot tell them apart.
 */
public final class EduModel implements DeviceModel, Registers {
  /** How many bits of an address QEMU's device puts on the bus, unless it was told otherwise. */
  public static final int ADDRESS_BITS = 28;

  private static final int BAR_SIZE = 1 << 20;
  private static final int DMA_FIRST = 0x80;
  private static final long MEMORY = 0x40000;
  private static final int MEMORY_SIZE = 4096;

  private static final int IDENTIFICATION = 0x010000ed;
  private static final int STATUS_FACTORIAL_INTERRUPT = 0x80;
  private static final int INTERRUPT_FACTORIAL = 0x001;
  private static final int INTERRUPT_DMA = 0x100;
  private static final int DMA_RUN = 1;
  private static final int DMA_TO_MEMORY = 2;
  private static final int DMA_INTERRUPT = 4;

  private final PciLayout layout;
  private final long addressMask;
  private final MemorySegment memory = MemorySegment.ofArray(new long[MEMORY_SIZE / Long.BYTES]);
  private @Nullable Bus bus;
  private int liveness;
  private int factorial;
  private int status;
  private int interruptStatus;
  private long dmaSource;
  private long dmaDestination;
  private long dmaCount;
  private long dmaCommand;

  /** Makes a device that puts {@value #ADDRESS_BITS} bits of an address on the bus. */
  public EduModel() {
    this(ADDRESS_BITS);
  }

  /**
   * Makes a device.
   *
   * @param addressBits how many bits of an address it puts on the bus, up to 64
   */
  public EduModel(int addressBits) {
    this.addressMask = addressBits >= Long.SIZE ? -1 : (1L << addressBits) - 1;
    this.layout =
        PciLayout.of(0x1234, 0x11e8)
            .classCode(0x00ff00)
            .revision(0x10)
            .subsystem(0x1af4, 0x1100)
            .bar(0, Bar.registers(BAR_SIZE, this))
            .line()
            .msi(1)
            .build();
  }

  @Override
  public PciLayout layout() {
    return layout;
  }

  @Override
  public void plugIn(Bus plug) {
    bus = plug;
  }

  private Bus bus() {
    if (bus == null) {
      throw new IllegalStateException("the device is on no bus");
    }
    return bus;
  }

  /** Does what power-on does; QEMU's device cannot be reset by itself. */
  @Override
  public void reset() {
    liveness = 0;
    factorial = 0;
    status = 0;
    interruptStatus = 0;
    dmaSource = 0;
    dmaDestination = 0;
    dmaCount = 0;
    dmaCommand = 0;
    memory.fill((byte) 0);
  }

  private static boolean takes(long offset, int width) {
    return width == Integer.BYTES || (width == Long.BYTES && offset >= DMA_FIRST);
  }

  @Override
  public long read(long offset, int width) {
    if (width < Integer.BYTES) {
      return 0; // narrower accesses do not reach the device
    }
    if (!takes(offset, width)) {
      return -1;
    }
    return switch ((int) offset) {
      case 0x00 -> IDENTIFICATION;
      case 0x04 -> liveness;
      case 0x08 -> factorial;
      case 0x20 -> status;
      case 0x24 -> interruptStatus;
      case 0x80 -> dmaSource;
      case 0x88 -> dmaDestination;
      case 0x90 -> dmaCount;
      case 0x98 -> dmaCommand;
      default -> -1;
    };
  }

  @Override
  public void write(long offset, int width, long value) {
    if (!takes(offset, width)) {
      return;
    }
    switch ((int) offset) {
      case 0x04 -> liveness = (int) ~value;
      case 0x08 -> computeFactorial((int) value);
      case 0x20 -> status = (int) value & STATUS_FACTORIAL_INTERRUPT;
      case 0x60 -> raiseInterrupt((int) value);
      case 0x64 -> acknowledge((int) value);
      case 0x80 -> dmaSource = value;
      case 0x88 -> dmaDestination = value;
      case 0x90 -> dmaCount = value;
      case 0x98 -> {
        if ((value & DMA_RUN) != 0) {
          dmaCommand = value;
          transfer();
        }
      }
      default -> {}
    }
  }

  private void computeFactorial(int number) {
    int product = 1;
    for (int factor = number; factor != 0; factor--) {
      product *= factor;
    }
    factorial = product;
    if ((status & STATUS_FACTORIAL_INTERRUPT) != 0) {
      raiseInterrupt(INTERRUPT_FACTORIAL);
    }
  }

  private void raiseInterrupt(int bits) {
    interruptStatus |= bits;
    if (interruptStatus != 0) {
      if (bus().messagesEnabled()) {
        bus().raiseMessage(0);
      } else {
        bus().setLine(true);
      }
    }
  }

  private void acknowledge(int bits) {
    interruptStatus &= ~bits;
    if (interruptStatus == 0 && !bus().messagesEnabled()) {
      bus().setLine(false);
    }
  }

  private void transfer() {
    boolean toMemory = (dmaCommand & DMA_TO_MEMORY) != 0;
    long own = (toMemory ? dmaSource : dmaDestination) - MEMORY;
    if (own >= 0 && dmaCount >= 0 && own <= MEMORY_SIZE && dmaCount <= MEMORY_SIZE - own) {
      MemorySegment part = memory.asSlice(own, dmaCount);
      if (toMemory) {
        bus().write(dmaDestination & addressMask, part);
      } else {
        bus().read(dmaSource & addressMask, part);
      }
    }
    dmaCommand &= ~DMA_RUN;
    if ((dmaCommand & DMA_INTERRUPT) != 0) {
      raiseInterrupt(INTERRUPT_DMA);
    }
  }
}
