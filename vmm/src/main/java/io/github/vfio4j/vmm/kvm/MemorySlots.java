package io.github.vfio4j.vmm.kvm;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.kvm_dirty_log;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_userspace_memory_region;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Closing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** The memory that a guest sees, slot by slot; {@code KVM_SET_USER_MEMORY_REGION}. Thread-safe. */
public final class MemorySlots {
  private final Vm machine;
  private final BitSet numbers = new BitSet();
  private final Set<MemorySlot> slots = new LinkedHashSet<>();

  /** Those of which the kernel notes what processors write, each with room for its answer. */
  private final Map<MemorySlot, DirtyBitmap> logged = new HashMap<>();

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
    MemorySlot slot = new MemorySlot(this, number, address, memory, size, owner);
    set(slot, size, 0);
    numbers.set(number);
    slots.add(slot);
    return slot;
  }

  synchronized void unmap(MemorySlot slot) throws VfioException {
    if (slots.contains(slot)) {
      set(slot, 0, 0);
      slots.remove(slot);
      logged.remove(slot);
      numbers.clear(slot.number());
    }
  }

  synchronized void setLogging(MemorySlot slot, boolean on) throws VfioException {
    if (slots.contains(slot) && logged.containsKey(slot) != on) {
      DirtyBitmap scratch = new DirtyBitmap(slot.address(), slot.size(), machine.pageSize());
      set(slot, slot.size(), on ? kvm_h.KVM_MEM_LOG_DIRTY_PAGES : 0);
      if (on) {
        logged.put(slot, scratch);
      } else {
        logged.remove(slot);
      }
    }
  }

  /** The kernel writes whole words over what it is given, so it is given a bitmap of our own. */
  synchronized void readAndClear(MemorySlot slot, DirtyBitmap written) throws VfioException {
    DirtyBitmap read = logged.get(slot);
    if (read == null) {
      throw new VfioException(
          Ioctl.KVM_GET_DIRTY_LOG.name(), slot.toString(), null, "it is not logged");
    }
    read.clear();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment request = arena.allocate(kvm_dirty_log.LAYOUT);
      kvm_dirty_log.slot(request, slot.number());
      kvm_dirty_log.dirty_bitmap(request, read.bits().address());
      machine.ask(Ioctl.KVM_GET_DIRTY_LOG, request);
    } finally {
      Reference.reachabilityFence(read);
    }
    written.add(read);
  }

  private void set(MemorySlot slot, long size, int flags) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment region = arena.allocate(kvm_userspace_memory_region.LAYOUT);
      kvm_userspace_memory_region.slot(region, slot.number());
      kvm_userspace_memory_region.flags(region, flags);
      kvm_userspace_memory_region.guest_phys_addr(region, slot.address());
      kvm_userspace_memory_region.memory_size(region, size);
      kvm_userspace_memory_region.userspace_addr(region, slot.memory().address());
      machine.ask(Ioctl.KVM_SET_USER_MEMORY_REGION, region);
    }
  }

  synchronized void close(Closing closing) {
    for (MemorySlot slot : Set.copyOf(slots)) {
      closing.attempt(slot::close);
    }
  }
}
