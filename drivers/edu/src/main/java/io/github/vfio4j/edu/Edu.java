package io.github.vfio4j.edu;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import java.time.Duration;

/**
 * A driver for QEMU's {@code edu} device: it has a few registers, a memory of 4096 bytes that only
 * DMA reaches, and one interrupt.
 *
 * <p>It is written to {@link VfioDevice} alone, so it runs on either kernel interface. One thread
 * at a time may use it. It does not own the device: close the driver first. Once either is closed,
 * its methods throw {@link IllegalStateException}; where the device refuses an access, they throw
 * {@link InternalError}, as {@link MappedRegion} does.
 */
public final class Edu implements AutoCloseable {
  /** The PCI vendor that the device pretends to be from. */
  public static final int VENDOR_ID = 0x1234;

  /** The PCI device ID. */
  public static final int DEVICE_ID = 0x11e8;

  /** How much memory the device has, in bytes; the most that one DMA can move. */
  public static final int MEMORY_SIZE = 4096;

  /** How many bits of an address the device puts on the bus, unless QEMU was told otherwise. */
  public static final int ADDRESS_BITS = 28;

  /** The lowest byte and the third of the identification register; the others are the version. */
  private static final int IDENTIFICATION_MASK = 0x0000ffff;

  private static final int IDENTIFICATION = 0x000000ed;

  private static final long MEMORY = 0x40000;
  private static final int START = 1;
  private static final int FROM_DEVICE = 2;
  private static final int RAISE_INTERRUPT = 4;
  private static final int COMPUTING = 1;
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Offsets of the registers in BAR 0; those below 0x80 take 32-bit accesses only. */
  private static final class Register {
    static final long IDENTIFICATION = 0x00;
    static final long LIVENESS = 0x04;
    static final long FACTORIAL = 0x08;
    static final long STATUS = 0x20;
    static final long INTERRUPT_STATUS = 0x24;
    static final long INTERRUPT_RAISE = 0x60;
    static final long INTERRUPT_ACKNOWLEDGE = 0x64;
    static final long DMA_SOURCE = 0x80;
    static final long DMA_DESTINATION = 0x88;
    static final long DMA_COUNT = 0x90;
    static final long DMA_COMMAND = 0x98;
  }

  private final VfioDevice device;
  private final MappedRegion registers;
  private final Interrupt done;
  private final Duration patience;

  private Edu(VfioDevice device, MappedRegion registers, Interrupt done, Duration patience) {
    this.patience = patience;
    this.device = device;
    this.registers = registers;
    this.done = done;
  }

  /**
   * Returns whether a device is an edu.
   *
   * @param device a device as sysfs shows it
   * @return whether {@link #start} will take it
   */
  public static boolean matches(PciDevice device) {
    return device.vendorId() == VENDOR_ID && device.deviceId() == DEVICE_ID;
  }

  /**
   * Starts the driver: maps the registers, enables the MSI and lets the device do DMA.
   *
   * @param device the open device, which stays the caller's
   * @return the driver; the caller closes it
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the device is not an edu, or the kernel refuses
   */
  public static Edu start(VfioDevice device) throws VfioException {
    return start(device, PATIENCE);
  }

  /**
   * Starts the driver as {@link #start(VfioDevice)} does.
   *
   * @param device the open device, which stays the caller's
   * @param patience how long the driver waits for the device
   * @return the driver; the caller closes it
   * @throws IllegalArgumentException if the patience is negative
   * @throws IllegalStateException if the device is closed
   * @throws VfioException if the device is not an edu, or the kernel refuses
   */
  public static Edu start(VfioDevice device, Duration patience) throws VfioException {
    if (patience.isNegative()) {
      throw new IllegalArgumentException("patience must not be negative: " + patience);
    }
    ConfigSpace config = device.pci().config();
    if (config.vendorId() != VENDOR_ID || config.deviceId() != DEVICE_ID) {
      throw new VfioException(
          "identify",
          device.name(),
          null,
          "%04x:%04x is no edu".formatted(config.vendorId(), config.deviceId()));
    }
    MappedRegion registers = device.pci().bar(0).map();
    try {
      int identification = registers.getInt(Register.IDENTIFICATION);
      if ((identification & IDENTIFICATION_MASK) != IDENTIFICATION) {
        throw new VfioException(
            "identify", device.name(), null, "0x%08x is no edu".formatted(identification));
      }
      // an interrupt that a former driver asked for would be told with the first of this one
      registers.setInt(Register.STATUS, 0);
      registers.setInt(Register.INTERRUPT_ACKNOWLEDGE, registers.getInt(Register.INTERRUPT_STATUS));
      Interrupt done = device.pci().msi().enable(0);
      try {
        config.setBusMaster(true);
        return new Edu(device, registers, done, patience);
      } catch (Throwable e) {
        try (done) {
          throw e;
        }
      }
    } catch (Throwable e) {
      try (registers) {
        throw e;
      }
    }
  }

  /**
   * Returns the device's identification register.
   *
   * @return 0xRRrr00ed, where RR and rr are the version
   */
  public int identification() {
    return registers.getInt(Register.IDENTIFICATION);
  }

  /**
   * Has the device invert a number, to show that it is alive.
   *
   * @param number any number
   * @return its bits inverted
   */
  public int invert(int number) {
    registers.setInt(Register.LIVENESS, number);
    return registers.getInt(Register.LIVENESS);
  }

  /**
   * Has the device compute a factorial, and polls until it is done.
   *
   * @param number from 0 to 12, for an exact result
   * @return the factorial, modulo 2^32
   * @throws DeviceTimeoutException if the device is not done in time
   * @throws VfioException if the thread is interrupted
   */
  public int factorial(int number) throws VfioException {
    registers.setInt(Register.FACTORIAL, number);
    registers.awaitInt(Register.STATUS, COMPUTING, 0, patience);
    return registers.getInt(Register.FACTORIAL);
  }

  /**
   * Copies memory to the device by DMA and waits for the interrupt that ends it.
   *
   * @param buffer where to read; below {@value #ADDRESS_BITS} bits of IOVA
   * @param offset first byte in the buffer
   * @param target first byte in the device's memory
   * @param count bytes, up to {@link #MEMORY_SIZE}
   * @throws IndexOutOfBoundsException if a part lies outside the buffer or the device's memory
   * @throws DeviceTimeoutException if the device does not answer
   * @throws VfioException if the kernel refuses to wait
   */
  public void copyToDevice(DmaBuffer buffer, long offset, int target, int count)
      throws VfioException {
    check(target, count);
    long source = buffer.slice(offset, count).iova();
    transfer(source, MEMORY + target, count, START | RAISE_INTERRUPT);
  }

  /**
   * Copies the device's memory to a buffer by DMA and waits for the interrupt that ends it.
   *
   * @param source first byte in the device's memory
   * @param buffer where to write; below {@value #ADDRESS_BITS} bits of IOVA
   * @param offset first byte in the buffer
   * @param count bytes, up to {@link #MEMORY_SIZE}
   * @throws IndexOutOfBoundsException if a part lies outside the buffer or the device's memory
   * @throws DeviceTimeoutException if the device does not answer
   * @throws VfioException if the kernel refuses to wait
   */
  public void copyFromDevice(int source, DmaBuffer buffer, long offset, int count)
      throws VfioException {
    check(source, count);
    long target = buffer.slice(offset, count).iova();
    transfer(MEMORY + source, target, count, START | FROM_DEVICE | RAISE_INTERRUPT);
  }

  private static void check(int address, int count) {
    if (count <= 0 || address < 0 || count > MEMORY_SIZE || address > MEMORY_SIZE - count) {
      throw new IndexOutOfBoundsException(
          count + " bytes at " + address + " of the device's " + MEMORY_SIZE);
    }
  }

  /**
   * Moves bytes between two addresses, of which one is an IOVA and one in the device's memory, from
   * 0x40000 on. It is for callers who manage IOVAs themselves; nothing is checked.
   *
   * @param source where the device reads
   * @param destination where the device writes
   * @param count bytes
   * @param fromDevice whether the source is the device's memory
   * @throws DeviceTimeoutException if the device does not answer
   * @throws VfioException if the kernel refuses to wait
   */
  public void transfer(long source, long destination, int count, boolean fromDevice)
      throws VfioException {
    transfer(source, destination, count, START | RAISE_INTERRUPT | (fromDevice ? FROM_DEVICE : 0));
  }

  private void transfer(long source, long destination, int count, int command)
      throws VfioException {
    registers.setLong(Register.DMA_SOURCE, source);
    registers.setLong(Register.DMA_DESTINATION, destination);
    registers.setLong(Register.DMA_COUNT, count);
    registers.setLongRelease(Register.DMA_COMMAND, command);
    awaitInterrupt("DMA");
    if ((registers.getLongAcquire(Register.DMA_COMMAND) & START) != 0) {
      throw new VfioException("DMA", device.name(), null, "interrupted before it was done");
    }
  }

  /**
   * Has the device raise its interrupt, waits for it and acknowledges it.
   *
   * @param status what the interrupt status register shall show, not 0
   * @return what it showed
   * @throws DeviceTimeoutException if the interrupt does not arrive
   * @throws VfioException if the kernel refuses to wait
   */
  public int raiseInterrupt(int status) throws VfioException {
    registers.setInt(Register.INTERRUPT_RAISE, status);
    return awaitInterrupt("raise interrupt");
  }

  private int awaitInterrupt(String operation) throws VfioException {
    if (done.await(patience) == 0) {
      throw new DeviceTimeoutException(
          operation, device.name(), null, "no interrupt within " + patience.toMillis() + " ms");
    }
    int status = registers.getInt(Register.INTERRUPT_STATUS);
    registers.setInt(Register.INTERRUPT_ACKNOWLEDGE, status);
    return status;
  }

  /**
   * Returns the interrupt, for those who wait for it in their own way.
   *
   * @return the device's one MSI
   */
  public Interrupt interrupt() {
    return done;
  }

  /**
   * Returns the registers, for those who drive the device in their own way.
   *
   * @return BAR 0
   */
  public MappedRegion registers() {
    return registers;
  }

  /**
   * Stops the driver: no more DMA, interrupt disabled, registers unmapped. Later calls do nothing,
   * nor does a call after the device was closed.
   *
   * @throws VfioException if the kernel refuses
   */
  @Override
  public void close() throws VfioException {
    try (registers;
        done) {
      if (!device.isClosed()) {
        device.pci().config().setBusMaster(false);
      }
    }
  }
}
