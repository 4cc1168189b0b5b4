package io.github.vfio4j.vmm.pci;

import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.util.List;

/**
 * Where a guest may put what the functions of its bus have: in these addresses only, as the bridge
 * to the bus hands on no others. Thread-safe.
 */
public final class Windows {
  /** Addresses that are handed on. */
  public record Window(long first, long last) {
    boolean holds(long address, long size) {
      return address >= first && address <= last && size - 1 <= last - address;
    }
  }

  private final AddressMap map;
  private final List<Window> windows;

  /** Hands on some addresses of a map. */
  public Windows(AddressMap map, List<Window> windows) {
    this.map = map;
    this.windows = List.copyOf(windows);
  }

  /**
   * Puts a device at some addresses.
   *
   * @return whether it answers there: not if they are not handed on, or another one's
   */
  public boolean place(long address, long size, BusDevice device) {
    return windows.stream().anyMatch(window -> window.holds(address, size))
        && map.addUnlessTaken(address, size, device);
  }

  /** Takes a device away. */
  public void remove(BusDevice device) {
    map.remove(device);
  }
}
