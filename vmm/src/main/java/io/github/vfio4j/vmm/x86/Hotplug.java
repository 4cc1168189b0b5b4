package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.util.function.IntConsumer;

/**
 * Tells the guest that one of up to 32 things has come or is wanted back, and is told when the
 * guest lets it go. {@link HotplugNamespace} has the guest's part. Thread-safe.
 */
final class Hotplug implements BusDevice {
  static final int SIZE = 12;

  /** What has come since the guest has read this. */
  static final int CAME = 0;

  /** What is wanted back, since the guest has read this. */
  static final int WANTED = 4;

  /** Where the guest writes what it has let go. */
  static final int LET_GO = 8;

  private final GeneralEvents events;
  private final int event;
  private final IntConsumer letGo;
  private int came;
  private int wanted;

  /**
   * Makes one with nothing to tell.
   *
   * @param event the one that has the guest look here
   * @param letGo is told what the guest has let go
   */
  Hotplug(GeneralEvents events, int event, IntConsumer letGo) {
    this.events = events;
    this.event = event;
    this.letGo = letGo;
  }

  void came(int index) throws VfioException {
    synchronized (this) {
      came |= 1 << index;
    }
    events.raise(event);
  }

  void wantBack(int index) throws VfioException {
    synchronized (this) {
      wanted |= 1 << index;
    }
    events.raise(event);
  }

  /** What comes to its place next is not wanted back. */
  private synchronized void forget(int index) {
    came &= ~(1 << index);
    wanted &= ~(1 << index);
  }

  synchronized void reset() {
    came = 0;
    wanted = 0;
  }

  @Override
  public synchronized long read(long offset, int width) {
    int value = 0;
    if (offset == CAME) {
      value = came;
      came = 0;
    } else if (offset == WANTED) {
      value = wanted;
      wanted = 0;
    }
    return Integer.toUnsignedLong(value);
  }

  @Override
  public void write(long offset, int width, long value) {
    if (offset == LET_GO) {
      for (int index = 0; index < Integer.SIZE; index++) {
        if ((value >>> index & 1) != 0) {
          forget(index);
          letGo.accept(index);
        }
      }
    }
  }
}
