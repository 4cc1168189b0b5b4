package io.github.vfio4j.kerneltests.selftests;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * Has a network card copy memory: it sends each piece to itself. The steps are those of the
 * kernel's own {@code lib/drivers/igb/igb.c}, so that both ask the same of the device.
 */
final class Igb implements AutoCloseable {
  /** The most bytes of one copy. */
  static final int CHUNK = 1024;

  /** The most copies of one call. */
  static final int MOST = 4095;

  private static final int RING = 4096;
  private static final int DESCRIPTOR = 16;
  private static final long RING_BYTES = (long) RING * DESCRIPTOR;
  private static final int FIRST_VECTOR = 1;
  private static final Duration COPYING = Duration.ofSeconds(20);

  private static final int CTRL = 0x0;
  private static final int EECD = 0x10;
  private static final int CTRL_EXT = 0x18;
  private static final int MDIC = 0x20;
  private static final int IMC = 0xd8;
  private static final int RCTL = 0x100;
  private static final int TCTL = 0x400;
  private static final int GPIE = 0x1514;
  private static final int EICS = 0x1520;
  private static final int EIMS = 0x1524;
  private static final int EIMC = 0x1528;
  private static final int EIAC = 0x152c;
  private static final int EIAM = 0x1530;
  private static final int EICR = 0x1580;
  private static final int IVAR0 = 0x1700;
  private static final int RDBAL = 0x2800;
  private static final int RDLEN = 0x2808;
  private static final int SRRCTL = 0x280c;
  private static final int RDH = 0x2810;
  private static final int RDT = 0x2818;
  private static final int RXDCTL = 0x2828;
  private static final int TDBAL = 0x3800;
  private static final int TDLEN = 0x3808;
  private static final int TDH = 0x3810;
  private static final int TDT = 0x3818;
  private static final int TXDCTL = 0x3828;
  private static final int GCR = 0x5b00;

  private static final int CTRL_RESET = 1 << 26;
  private static final int CTRL_SPEED = 3 << 8;

  /** Link up at 1 Gbit/s in both directions, whatever there is at the other end. */
  private static final int CTRL_FORCED = 1 | 1 << 6 | 2 << 8 | 1 << 11 | 1 << 12;

  private static final int CTRL_EXT_DRIVER_LOADED = 1 << 28;
  private static final int CTRL_EXT_LINK_MODE = 3 << 22;
  private static final int EECD_AUTO_READ = 1 << 9;
  private static final int MDIC_WRITE = 1 << 26 | 1 << 21;
  private static final int MDIC_READY = 1 << 28;
  private static final int MDIC_ERROR = 1 << 30;
  private static final int PHY_NEGOTIATE = 0x1000 | 0x0200;
  private static final int PHY_LOOPBACK = 0x4000 | 0x0040 | 0x0100;
  private static final int GCR_RESEND = 1 << 16;
  private static final int QUEUE_ENABLE = 1 << 25;
  private static final int ONE_BUFFER = 1 << 25;

  /** Receives everything, from itself, without checksums. */
  private static final int RCTL_LOOPBACK = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 6 | 1 << 15 | 1 << 26;

  private static final int TCTL_ENABLE = 1 << 1 | 1 << 3;
  private static final int GPIE_MSIX = 1 << 4 | 1 << 30;
  private static final int IVAR_VALID = 0x80;

  /** A whole frame of data. */
  private static final int SEND = 0x3 << 20 | 1 << 29 | 1 << 25 | 1 << 24;

  private static final int LENGTH_SHIFT = 14;
  private static final int DONE = 1;

  private final VfioDevice device;
  private final MappedRegion registers;
  private final DmaBuffer rings;
  private final MemorySegment sent;
  private final MemorySegment received;
  private Interrupt interrupt;
  private int tail;

  Igb(VfioDevice device) throws VfioException {
    this.device = device;
    this.rings = device.addressSpace().allocate(2 * RING_BYTES);
    this.sent = rings.segment().asSlice(0, RING_BYTES);
    this.received = rings.segment().asSlice(RING_BYTES, RING_BYTES);
    this.registers = device.pci().bar(0).map();
    reset();
    this.interrupt = device.pci().msix().enable(0);
    program();
  }

  private void change(int register, int clear, int set) {
    registers.setInt(register, (registers.getInt(register) & ~clear) | set);
  }

  private void reset() throws VfioException {
    change(CTRL, 0, CTRL_RESET);
    pause(1);
    for (int i = 0; i < 20 && (registers.getInt(EECD) & EECD_AUTO_READ) == 0; i++) {
      pause(1);
    }
    registers.awaitInt(CTRL, CTRL_RESET, 0, COPYING); // QEMU's never says that it has read
    registers.setInt(IMC, -1);
  }

  private void writePhy(int value) throws VfioException {
    registers.setInt(MDIC, value | MDIC_WRITE);
    int answer = registers.awaitInt(MDIC, MDIC_READY, MDIC_READY, COPYING);
    assertThat(answer & MDIC_ERROR).isZero();
  }

  private void program() throws VfioException {
    change(CTRL_EXT, CTRL_EXT_LINK_MODE, CTRL_EXT_DRIVER_LOADED);
    device.pci().config().setBusMaster(true);
    writePhy(PHY_NEGOTIATE); // for the emulated link to come up
    writePhy(PHY_LOOPBACK);
    pause(50);
    change(CTRL, CTRL_SPEED, CTRL_FORCED);
    pause(500);
    change(GCR, GCR_RESEND, 0);

    registers.setInt(TDBAL, (int) rings.iova());
    registers.setInt(TDBAL + 4, (int) (rings.iova() >>> 32));
    registers.setInt(TDLEN, (int) RING_BYTES);
    registers.setInt(TDH, 0);
    registers.setInt(TDT, 0);
    registers.setInt(TXDCTL, QUEUE_ENABLE);
    long receiving = rings.iova() + RING_BYTES;
    registers.setInt(RDBAL, (int) receiving);
    registers.setInt(RDBAL + 4, (int) (receiving >>> 32));
    registers.setInt(RDLEN, (int) RING_BYTES);
    registers.setInt(RDH, 0);
    registers.setInt(RDT, 0);
    registers.setInt(SRRCTL, ONE_BUFFER);
    registers.setInt(RXDCTL, QUEUE_ENABLE);
    registers.setInt(RCTL, RCTL_LOOPBACK);
    registers.setInt(TCTL, TCTL_ENABLE);
    registers.awaitInt(TXDCTL, QUEUE_ENABLE, QUEUE_ENABLE, COPYING);
    registers.awaitInt(RXDCTL, QUEUE_ENABLE, QUEUE_ENABLE, COPYING);

    registers.setInt(GPIE, GPIE_MSIX);
    registers.setInt(EIAC, FIRST_VECTOR);
    registers.setInt(EIAM, FIRST_VECTOR);
    registers.setInt(IVAR0, IVAR_VALID);
    registers.setInt(EIMS, FIRST_VECTOR);
    tail = 0;
  }

  Interrupt interrupt() {
    return interrupt;
  }

  void raise() {
    registers.setInt(EICS, FIRST_VECTOR);
  }

  /**
   * Copies in pieces, without an interrupt.
   *
   * @return whether the device did all of it
   */
  boolean copy(long from, long to, long size) throws VfioException {
    for (long done = 0; done < size; done += CHUNK) {
      if (!copyAgain(from + done, to + done, CHUNK, 1, Duration.ofMillis(200))) {
        return false;
      }
    }
    return true;
  }

  /** Has the device copy the same several times, in one go. */
  boolean copyAgain(long from, long to, int size, int count, Duration patience)
      throws VfioException {
    registers.setInt(EIMC, FIRST_VECTOR);
    long last = 0;
    for (int i = 0; i < count; i++) {
      last = (long) tail * DESCRIPTOR;
      received.set(JAVA_LONG, last, to);
      received.set(JAVA_LONG, last + 8, 0);
      sent.set(JAVA_LONG, last, from);
      sent.set(JAVA_INT, last + 8, size | SEND);
      sent.set(JAVA_INT, last + 12, size << LENGTH_SHIFT);
      tail = (tail + 1) % RING;
    }
    registers.setIntRelease(RDT, tail);
    registers.setIntRelease(TDT, tail);
    boolean done = isReceived(last, patience);
    registers.setInt(EICR, -1);
    registers.setInt(EIMS, FIRST_VECTOR);
    if (!done) {
      recover();
    }
    return done;
  }

  private boolean isReceived(long descriptor, Duration patience) {
    long end = System.nanoTime() + patience.toNanos();
    while ((rings.slice(RING_BYTES + descriptor, DESCRIPTOR).getIntAcquire(8) & DONE) == 0) {
      if (System.nanoTime() > end) {
        return false;
      }
      pause(1);
    }
    return true;
  }

  /** A descriptor that is never done stays in the way until the whole function is reset. */
  private void recover() throws VfioException {
    device.reset();
    interrupt.close();
    interrupt = device.pci().msix().enable(0);
    program();
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  @Override
  public void close() throws VfioException {
    registers.setInt(RCTL, 0);
    registers.setInt(TCTL, 0);
    reset();
    interrupt.close();
    registers.close();
    rings.close();
  }
}
