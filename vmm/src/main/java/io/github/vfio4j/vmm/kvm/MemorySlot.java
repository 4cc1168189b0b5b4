package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import java.lang.foreign.MemorySegment;

/** Memory that a guest sees in one piece. Thread-safe; closing it again does nothing. */
public final class MemorySlot implements AutoCloseable {
  private final MemorySlots slots;
  private final int number;
  private final long address;
  private final long size;
  private final MemorySegment memory;

  /** Kept for being kept: the guest reaches the memory by its address alone. */
  @SuppressWarnings("unused")
  private final Object owner;

  MemorySlot(
      MemorySlots slots, int number, long address, MemorySegment memory, long size, Object owner) {
    this.slots = slots;
    this.number = number;
    this.address = address;
    this.memory = memory;
    this.size = size;
    this.owner = owner;
  }

  int number() {
    return number;
  }

  long address() {
    return address;
  }

  long size() {
    return size;
  }

  MemorySegment memory() {
    return memory;
  }

  /**
   * Has the kernel note which pages processors write, or no more. Does nothing where it is so
   * already.
   */
  public void setLogging(boolean on) throws VfioException {
    slots.setLogging(this, on);
  }

  /**
   * Reads which pages processors have written since logging began or was last read, and clears
   * that; {@code KVM_GET_DIRTY_LOG}. Bits that are set in the bitmap already stay set.
   *
   * @param written a bitmap of just this memory, by pages of this machine
   * @throws VfioException if the kernel refuses, as it does where it does not log
   */
  public void readAndClear(DirtyBitmap written) throws VfioException {
    slots.readAndClear(this, written);
  }

  /** Takes the memory out of the guest. It is seen still if the kernel refuses. */
  @Override
  public void close() throws VfioException {
    slots.unmap(this);
  }

  @Override
  public String toString() {
    return "0x%x bytes at 0x%x of the guest".formatted(size, address);
  }
}
