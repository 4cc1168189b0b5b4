package io.github.vfio4j.vmm.pci;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.IntStream;

/**
 * A bus with 32 slots, of one function each, and the ways to their configuration spaces: as memory
 * (ECAM), and by two ports as PCs have them. Thread-safe.
 */
public final class PciHost {
  /** Bytes of memory that the configuration spaces of the bus take. */
  public static final long ECAM_SIZE = 1 << 20;

  /** How many ports there are from the first one on. */
  public static final int PORTS = 8;

  /** How many slots there are. */
  public static final int SLOTS = 32;

  /** How many interrupts the lines of all functions share. */
  public static final int LINES = 8;

  private static final int FUNCTION_SIZE = 4096;
  private static final int FUNCTIONS = 8;
  private static final int DATA = 4;
  private static final int ENABLED = 1 << 31;
  private static final int BUS = 0x00ff_0000;

  private final AtomicReferenceArray<PciFunction> slots = new AtomicReferenceArray<>(SLOTS);

  private final Windows memory;
  private final Windows ports;
  private final int firstGsi;

  /**
   * Makes a bus with nothing but the bridge to it.
   *
   * @param memory where its functions can have memory
   * @param ports where they can have ports
   * @param firstGsi the first of {@link #LINES} interrupts of the guest that their lines raise
   */
  public PciHost(Windows memory, Windows ports, int firstGsi) {
    this.memory = memory;
    this.ports = ports;
    this.firstGsi = firstGsi;
    slots.set(0, new HostBridge());
  }

  /** Returns where functions can have memory. */
  public Windows memoryWindows() {
    return memory;
  }

  /** Returns where functions can have ports. */
  public Windows portWindows() {
    return ports;
  }

  /**
   * Returns which interrupt of the guest a line raises.
   *
   * @param pin from 1
   */
  public int gsi(int slot, int pin) {
    return firstGsi + (slot + pin - 1) % LINES;
  }

  /** Returns the first slot that is free, or nothing. */
  public OptionalInt freeSlot() {
    return IntStream.range(0, SLOTS).filter(slot -> slots.get(slot) == null).findFirst();
  }

  /** Returns whether there is such a slot, and nothing in it. */
  public boolean isFree(int slot) {
    return slot >= 0 && slot < SLOTS && slots.get(slot) == null;
  }

  /** Puts a function into a slot. */
  public void plug(int slot, PciFunction function) {
    slots.set(slot, function);
  }

  /** Takes what is in a slot out of it. */
  public void unplug(int slot) {
    slots.set(slot, null);
  }

  private int read(int function, int at, int width) throws VfioException {
    PciFunction there = function % FUNCTIONS == 0 ? slots.get(function / FUNCTIONS) : null;
    return there == null ? -1 : there.read(at, width);
  }

  private void write(int function, int at, int width, int value) throws VfioException {
    PciFunction there = function % FUNCTIONS == 0 ? slots.get(function / FUNCTIONS) : null;
    if (there != null) {
      there.write(at, width, value);
    }
  }

  private static boolean isWhole(long at, int width) {
    return width <= Integer.BYTES && Integer.bitCount(width) == 1 && (at & width - 1) == 0;
  }

  /** Returns what answers at {@link #ECAM_SIZE} bytes of memory. */
  public BusDevice ecam() {
    return new BusDevice() {
      @Override
      public long read(long offset, int width) throws VfioException {
        return isWhole(offset, width)
            ? PciHost.this.read(function(offset), (int) offset % FUNCTION_SIZE, width)
            : -1;
      }

      @Override
      public void write(long offset, int width, long value) throws VfioException {
        if (isWhole(offset, width)) {
          PciHost.this.write(function(offset), (int) offset % FUNCTION_SIZE, width, (int) value);
        }
      }

      private static int function(long offset) {
        return (int) (offset / FUNCTION_SIZE);
      }
    };
  }

  /** Returns what answers at {@link #PORTS} ports: an address is written first, then data. */
  public BusDevice configPorts() {
    return new BusDevice() {
      private volatile int address;

      @Override
      public long read(long offset, int width) throws VfioException {
        if (offset < DATA) {
          return offset == 0 && width == Integer.BYTES ? address : -1;
        }
        int of = address;
        return isOpen(of, offset, width)
            ? PciHost.this.read(function(of), register(of, offset), width)
            : -1;
      }

      @Override
      public void write(long offset, int width, long value) throws VfioException {
        int of = address;
        if (offset == 0 && width == Integer.BYTES) {
          address = (int) value;
        } else if (offset >= DATA && isOpen(of, offset, width)) {
          PciHost.this.write(function(of), register(of, offset), width, (int) value);
        }
      }

      private static boolean isOpen(int address, long offset, int width) {
        return (address & ENABLED) != 0 && (address & BUS) == 0 && isWhole(offset, width);
      }

      private static int function(int address) {
        return address >>> 8 & 0xff;
      }

      private static int register(int address, long offset) {
        return (address & 0xfc) + (int) (offset - DATA);
      }
    };
  }
}
