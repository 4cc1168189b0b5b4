package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_userspace_memory_region;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.Set;

/** The memory that a guest sees, slot by slot; {@code KVM_SET_USER_MEMORY_REGION}. Thread-safe. */
public final class MemorySlots {
  private final Vm machine;
  private final BitSet numbers = new BitSet();
  private final Set<MemorySlot> slots = new LinkedHashSet<>();

  MemorySlots(Vm machine) {
    this.machine = machine;
  }

  /**
   * Lets the guest see memory of this process.
   *
   * @param address the guest's physical address
   * @param memory where it is here: whole pages that stay until the slot is closed
   * @param size bytes
   * @param owner what keeps the memory, and is kept reachable as long as the guest sees it
   */
  public synchronized MemorySlot map(long address, MemorySegment memory, long size, Object owner)
      throws VfioException {
    int number = numbers.nextClearBit(0);
    MemorySlot slot = new MemorySlot(this, number, address, size, owner);
    set(number, address, size, memory.address());
    numbers.set(number);
    slots.add(slot);
    return slot;
  }

  synchronized void unmap(MemorySlot slot) throws VfioException {
    if (slots.contains(slot)) {
      set(slot.number(), slot.address(), 0, 0);
      slots.remove(slot);
      numbers.clear(slot.number());
    }
  }

  private void set(int number, long address, long size, long memory) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = arena.allocate(kvm_userspace_memory_region.LAYOUT);
      kvm_userspace_memory_region.slot(region, number);
      kvm_userspace_memory_region.guest_phys_addr(region, address);
      kvm_userspace_memory_region.memory_size(region, size);
      kvm_userspace_memory_region.userspace_addr(region, memory);
      machine.ask(Ioctl.KVM_SET_USER_MEMORY_REGION, region);
    }
  }

  synchronized void close(Closing closing) {
    for (MemorySlot slot : Set.copyOf(slots)) {
      closing.attempt(slot::close);
    }
  }
}
