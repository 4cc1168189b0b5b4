package io.github.vfio4j.mapping;

import io.github.vfio4j.linux.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.WeakReference;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The address spaces of this process that have not been closed. The kernel knows what is mapped by
 * its address alone, and may look for the pages as late as when a device is attached: so what is
 * mapped stays reachable, even if nobody holds the address space, and pages stay where they are.
 */
public final class OpenSpaces {
  /** Pages whose owner has done with them, while some address space maps them. */
  private record Lent(WeakReference<MemorySegment.Scope> lifetime, Cleaner.Cleanable pages) {
    boolean freeUnlessMapped() {
      MemorySegment.Scope alive = lifetime.get();
      if (alive != null && isMapped(alive)) {
        return false;
      }
      pages.clean();
      return true;
    }
  }

  private static final Set<AddressSpace> OPEN = ConcurrentHashMap.newKeySet();
  private static final Set<Lent> LENT = ConcurrentHashMap.newKeySet();

  private OpenSpaces() {}

  static void add(AddressSpace space) {
    OPEN.add(space);
  }

  static void remove(AddressSpace space) {
    OPEN.remove(space);
  }

  /** Gives back what no address space maps any more. Called without the lock of any. */
  static void freeLent() {
    LENT.removeIf(Lent::freeUnlessMapped);
  }

  private static boolean isMapped(MemorySegment.Scope lifetime) {
    return OPEN.stream().anyMatch(space -> space.holds(lifetime));
  }

  /**
   * Ends all accesses of this process to pages, and gives them back: at once, or after the last
   * mapping of them has gone, when its address space is closed or its memory is collected. Called
   * without the lock of any address space.
   *
   * @return the kernel's answer; after a refusal it may be asked again
   * @throws IllegalStateException if a thread is in the middle of using them; nothing has changed
   *     then
   */
  public static int free(Pages pages) {
    pages.endAccess(); // no address space takes them from now on
    MemorySegment.Scope lifetime = pages.segment().scope();
    if (isMapped(lifetime)) {
      pages
          .freeWhenUnreachable()
          .ifPresent(freeing -> LENT.add(new Lent(new WeakReference<>(lifetime), freeing)));
      return 0;
    }
    return pages.free();
  }
}
