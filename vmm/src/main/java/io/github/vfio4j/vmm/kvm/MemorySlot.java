package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.VfioException;

/** Memory that a guest sees in one piece. Thread-safe; closing it again does nothing. */
public final class MemorySlot implements AutoCloseable {
  private final MemorySlots slots;
  private final int number;
  private final long address;
  private final long size;

  /** Kept for being kept: the guest reaches the memory by its address alone. */
  @SuppressWarnings("unused")
  private final Object owner;

  MemorySlot(MemorySlots slots, int number, long address, long size, Object owner) {
    this.slots = slots;
    this.number = number;
    this.address = address;
    this.size = size;
    this.owner = owner;
  }

  int number() {
    return number;
  }

  long address() {
    return address;
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
