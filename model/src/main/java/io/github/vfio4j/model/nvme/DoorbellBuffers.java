package io.github.vfio4j.model.nvme;

import io.github.vfio4j.model.Bus;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/** Doorbells in the driver's memory, and beside each what the controller wants to be told of. */
final class DoorbellBuffers {
  private static final int INVALID_FIELD = 0x002;
  private static final int PAGE = 4096;
  private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;

  private final Supplier<Bus> bus;
  private boolean on;
  private boolean asks = true;
  private long values;
  private long wanted;

  DoorbellBuffers(Supplier<Bus> bus) {
    this.bus = bus;
  }

  /** Takes over the driver's pages, and returns the status of the command. */
  int begin(long doorbells, long events) {
    if (((doorbells | events) & (PAGE - 1)) != 0) {
      return INVALID_FIELD;
    }
    values = doorbells;
    wanted = events;
    on = true;
    return 0;
  }

  void forget() {
    on = false;
  }

  boolean isOn() {
    return on;
  }

  void ask(boolean ask) {
    asks = ask;
  }

  int tail(int queue) {
    return get(values + queue * 8L);
  }

  /** Asks to be told of what comes behind a tail, or of nothing in the next round. */
  void wantTail(int queue, int tail) {
    want(queue * 8L, tail);
  }

  void wantHead(int queue) {
    long at = queue * 8L + Integer.BYTES;
    want(at, get(values + at));
  }

  private void want(long at, int value) {
    if (on) {
      int event = asks ? value : value - 1 & 0xffff;
      bus.get().write(wanted + at, MemorySegment.ofArray(new int[] {event}));
    }
  }

  private int get(long iova) {
    byte[] word = new byte[Integer.BYTES];
    bus.get().read(iova, MemorySegment.ofArray(word));
    return MemorySegment.ofArray(word).get(WORD, 0);
  }
}
