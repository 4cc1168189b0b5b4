package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.vmm.board.Orders;
import io.github.vfio4j.vmm.bus.BusDevice;

/**
 * The fixed registers of ACPI, and the ways to reset a PC: power-off, a timer, and no events. The
 * machine is in ACPI's mode from the start. Thread-safe.
 */
final class PowerPorts {
  static final int EVENT_PORT = 0x600;
  static final int CONTROL_PORT = 0x604;
  static final int TIMER_PORT = 0x608;
  static final int RESET_PORT = 0x60c;
  static final int KEYBOARD_PORT = 0x64;
  static final int RESET_VALUE = 6;

  /** The type of sleep that is off, as the table of the board says. */
  static final int OFF = 5;

  private static final int KEYBOARD_RESET = 0xfe;
  private static final int ACPI_MODE = 1;
  private static final int SLEEP_ENABLE = 1 << 13;
  private static final long TICKS_PER_SECOND = 3_579_545;
  private static final long NANOS_PER_SECOND = 1_000_000_000;

  private final Orders orders;
  private volatile int eventEnable;

  PowerPorts(Orders orders) {
    this.orders = orders;
  }

  /** Forgets what the guest has set. */
  void reset() {
    eventEnable = 0;
  }

  /** The status of events, of which there are none, and which of them interrupt. */
  BusDevice events() {
    return new Port() {
      @Override
      public long read(long offset, int width) {
        return offset == 2 ? eventEnable : width == 4 ? (long) eventEnable << 16 : 0;
      }

      @Override
      public void write(long offset, int width, long value) {
        if (offset == 2) {
          eventEnable = (int) value;
        }
      }
    };
  }

  /** Where the machine is put to sleep. */
  BusDevice control() {
    return new Port() {
      @Override
      public long read(long offset, int width) {
        return offset == 0 ? ACPI_MODE : 0;
      }

      @Override
      public void write(long offset, int width, long value) {
        if ((value & SLEEP_ENABLE) != 0 && (value >>> 10 & 7) == OFF) {
          orders.powerOff();
        }
      }
    };
  }

  /** A counter of 32 bits and 3.58 MHz. */
  BusDevice timer() {
    return new Port() {
      @Override
      public long read(long offset, int width) {
        long now = System.nanoTime();
        return now / NANOS_PER_SECOND * TICKS_PER_SECOND
            + now % NANOS_PER_SECOND * TICKS_PER_SECOND / NANOS_PER_SECOND;
      }
    };
  }

  /** The register that resets, as ACPI's table says. */
  BusDevice resetPort() {
    return new Port() {
      @Override
      public void write(long offset, int width, long value) {
        if ((value & 4) != 0) {
          orders.reset();
        }
      }
    };
  }

  /** The keyboard's controller, which is not there but for resetting. */
  BusDevice keyboard() {
    return new Port() {
      @Override
      public void write(long offset, int width, long value) {
        if (value == KEYBOARD_RESET) {
          orders.reset();
        }
      }
    };
  }

  /** A port that reads as nothing and takes what is written. */
  private abstract static class Port implements BusDevice {
    @Override
    public long read(long offset, int width) {
      return -1;
    }

    @Override
    public void write(long offset, int width, long value) {}
  }
}
