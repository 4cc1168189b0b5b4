package io.github.vfio4j.nvme;

import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.IoAddressSpace;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;

/**
 * Doorbells in memory, and beside each what the controller wants to be told of by the real one. Hot
 * code; each doorbell is for one thread at a time.
 */
final class ShadowDoorbells implements AutoCloseable {
  /** What the controller is given: a page of doorbells, and one of what it wants to be told of. */
  static final int SIZE = 2 * Rings.PAGE;

  private final DmaBuffer memory;
  private final MemorySegment doorbells;
  private final MemorySegment wanted;

  ShadowDoorbells(IoAddressSpace space) throws VfioException {
    this.memory = space.allocate(Math.max(SIZE, space.granule()));
    this.doorbells = memory.segment().asSlice(0, Rings.PAGE);
    this.wanted = memory.segment().asSlice(Rings.PAGE, Rings.PAGE);
  }

  long iova() {
    return memory.iova();
  }

  /** Sets a doorbell for a queue that the controller does not know yet. */
  void begin(long doorbell, int value) {
    LittleEndian.INT.set(wanted, doorbell, 0);
    LittleEndian.INT.setRelease(doorbells, doorbell, value);
  }

  /**
   * Sets a doorbell.
   *
   * @return whether the real one must be rung, too
   */
  boolean ring(long doorbell, int before, int value) {
    LittleEndian.INT.setRelease(doorbells, doorbell, value);
    // The controller writes what it wants, and then looks at the doorbell once more. One of the two
    // sees what the other has written only if neither reads before its own write is seen.
    VarHandle.fullFence();
    return passes((int) LittleEndian.INT.getAcquire(wanted, doorbell), before, value);
  }

  /** Returns whether a doorbell that goes from one value to another passes what was wanted. */
  static boolean passes(int wanted, int before, int value) {
    return (value - wanted - 1 & 0xffff) < (value - before & 0xffff);
  }

  @Override
  public void close() throws VfioException {
    memory.close();
  }
}
