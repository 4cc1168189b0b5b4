package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.kvm_dirty_log;
import io.github.vfio4j.bindings.kvm_h;
import io.github.vfio4j.bindings.kvm_userspace_memory_region;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** The memory that the processors of a machine see, and which of its pages they have written. */
public final class FakeSlots {
  private static final long PAGE = 4096;

  private record Slot(long address, long size, long memory, boolean logged) {
    boolean holds(long at) {
      return at >= address && at - address < size;
    }
  }

  private final Map<Integer, Slot> slots = new TreeMap<>();
  private final TreeSet<Long> written = new TreeSet<>();

  /** Has a processor write to an address, which is noted where that is logged. */
  public void write(long address) {
    if (slots.values().stream().anyMatch(slot -> slot.logged && slot.holds(address))) {
      written.add(address & -PAGE);
    }
  }

  /** Returns where it is noted what processors write, as {@code first+length}. */
  public List<String> logged() {
    return slots.values().stream()
        .filter(Slot::logged)
        .map(slot -> "%x+%x".formatted(slot.address, slot.size))
        .toList();
  }

  int set(MemorySegment request) {
    int number = kvm_userspace_memory_region.slot(request);
    Slot set =
        new Slot(
            kvm_userspace_memory_region.guest_phys_addr(request),
            kvm_userspace_memory_region.memory_size(request),
            kvm_userspace_memory_region.userspace_addr(request),
            (kvm_userspace_memory_region.flags(request) & kvm_h.KVM_MEM_LOG_DIRTY_PAGES) != 0);
    Slot before = slots.get(number);
    if (before != null
        && set.size != 0
        && (set.size != before.size
            || set.address != before.address
            || set.memory != before.memory)) {
      return -Errno.EINVAL.number();
    }
    if (before != null && (set.size == 0 || !set.logged)) {
      written.removeIf(before::holds);
    }
    if (set.size == 0) {
      slots.remove(number);
    } else {
      slots.put(number, set);
    }
    return 0;
  }

  /** Writes over all words of a bitmap, as many as the slot has pages for. */
  @SuppressWarnings("restricted") // the request names room for the bits
  int report(MemorySegment request) {
    Slot slot = slots.get(kvm_dirty_log.slot(request));
    if (slot == null || !slot.logged) {
      return -Errno.ENOENT.number();
    }
    MemorySegment bits =
        MemorySegment.ofAddress(kvm_dirty_log.dirty_bitmap(request))
            .reinterpret((slot.size / PAGE + 63) / 64 * Long.BYTES)
            .fill((byte) 0);
    for (long each : List.copyOf(written)) {
      if (slot.holds(each)) {
        long bit = (each - slot.address) / PAGE;
        long at = bit / 64 * Long.BYTES;
        bits.set(JAVA_LONG, at, bits.get(JAVA_LONG, at) | 1L << bit);
        written.remove(each);
      }
    }
    return 0;
  }
}
