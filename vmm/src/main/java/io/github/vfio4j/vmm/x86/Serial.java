package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;

/**
 * A serial port as PCs have it, a 16550A: what the guest sends is written to a stream at once, and
 * what somebody types is kept until the guest takes it. Thread-safe.
 */
final class Serial implements BusDevice {
  /** Tells the interrupt controller of the line. */
  interface Line {
    void set(boolean asserted) throws VfioException;
  }

  static final int SIZE = 8;

  private static final int DATA = 0;
  private static final int INTERRUPT_ENABLE = 1;
  private static final int INTERRUPT_IDENTITY = 2;
  private static final int LINE_CONTROL = 3;
  private static final int MODEM_CONTROL = 4;
  private static final int LINE_STATUS = 5;
  private static final int MODEM_STATUS = 6;
  private static final int SCRATCH = 7;

  private static final int ENABLE_RECEIVED = 1;
  private static final int ENABLE_EMPTY = 2;
  private static final int NOTHING_PENDING = 1;
  private static final int EMPTY_PENDING = 2;
  private static final int RECEIVED_PENDING = 4;
  private static final int FIFOS_ON = 0xc0;
  private static final int DIVISOR_ACCESS = 0x80;
  private static final int LOOP_BACK = 0x10;
  private static final int FIFO = 16;
  private static final int READY = 1;
  private static final int EMPTY = 0x60;

  /** The other side is there and wants data: carrier, ready, clear to send. */
  private static final int CONNECTED = 0xb0;

  private final OutputStream out;
  private final Line line;
  private final ArrayDeque<Byte> received = new ArrayDeque<>();
  private int enabled;
  private int fifos;
  private int lineControl;
  private int modemControl;
  private int scratch;
  private int divisor = 1;
  private boolean emptyPending;
  private boolean asserted;

  Serial(OutputStream out, Line line) {
    this.out = out;
    this.line = line;
  }

  /** Gives the guest a byte that somebody has typed. */
  synchronized void type(byte typed) throws VfioException {
    received.add(typed);
    update();
  }

  /** Forgets what the guest has set, and keeps what was typed. */
  synchronized void reset() throws VfioException {
    enabled = 0;
    fifos = 0;
    lineControl = 0;
    modemControl = 0;
    scratch = 0;
    divisor = 1;
    emptyPending = false;
    update();
  }

  @Override
  public synchronized long read(long offset, int width) throws VfioException {
    return switch ((int) offset) {
      case DATA -> divisorAccess() ? divisor & 0xff : take();
      case INTERRUPT_ENABLE -> divisorAccess() ? divisor >>> 8 : enabled;
      case INTERRUPT_IDENTITY -> identify() | fifos;
      case LINE_CONTROL -> lineControl;
      case MODEM_CONTROL -> modemControl;
      case LINE_STATUS -> EMPTY | (received.isEmpty() ? 0 : READY);
      case MODEM_STATUS -> (modemControl & LOOP_BACK) != 0 ? loopedBack() : CONNECTED;
      case SCRATCH -> scratch;
      default -> 0;
    };
  }

  @Override
  public synchronized void write(long offset, int width, long value) throws VfioException {
    int low = (int) value & 0xff;
    switch ((int) offset) {
      case DATA -> {
        if (divisorAccess()) {
          divisor = (divisor & 0xff00) | low;
        } else {
          send(low);
        }
      }
      case INTERRUPT_ENABLE -> {
        if (divisorAccess()) {
          divisor = (divisor & 0xff) | low << 8;
        } else {
          emptyPending |= (low & ~enabled & ENABLE_EMPTY) != 0;
          enabled = low & 0xf;
          update();
        }
      }
      case INTERRUPT_IDENTITY -> fifos = (low & 1) != 0 ? FIFOS_ON : 0;
      case LINE_CONTROL -> lineControl = low;
      case MODEM_CONTROL -> modemControl = low & 0x1f;
      case SCRATCH -> scratch = low;
      default -> {}
    }
  }

  private boolean divisorAccess() {
    return (lineControl & DIVISOR_ACCESS) != 0;
  }

  private int take() throws VfioException {
    Byte first = received.poll();
    update();
    return first == null ? 0 : first & 0xff;
  }

  private void send(int value) throws VfioException {
    if ((modemControl & LOOP_BACK) != 0) {
      if (received.size() < FIFO) {
        received.add((byte) value);
      }
    } else {
      try {
        out.write(value);
        out.flush();
      } catch (IOException e) {
        throw new VfioException("write", "the console", null, String.valueOf(e.getMessage()));
      }
    }
    emptyPending = true;
    update();
  }

  /** Returns the reason of the interrupt; reading it ends that of an empty transmitter. */
  private int identify() throws VfioException {
    if (receivedPending()) {
      return RECEIVED_PENDING;
    }
    if (emptyPending && (enabled & ENABLE_EMPTY) != 0) {
      emptyPending = false;
      update();
      return EMPTY_PENDING;
    }
    return NOTHING_PENDING;
  }

  private boolean receivedPending() {
    return (enabled & ENABLE_RECEIVED) != 0 && !received.isEmpty();
  }

  /** What the outputs are says what the inputs are: RTS is CTS, DTR is DSR, and so on. */
  private int loopedBack() {
    return (modemControl & 2) << 3 | (modemControl & 1) << 5 | (modemControl & 0xc) << 4;
  }

  private void update() throws VfioException {
    boolean wanted = receivedPending() || (emptyPending && (enabled & ENABLE_EMPTY) != 0);
    if (wanted != asserted) {
      asserted = wanted;
      line.set(wanted);
    }
  }
}
