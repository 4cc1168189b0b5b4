package io.github.vfio4j.vmm.pci;

import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.util.List;
import java.util.stream.Collectors;

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

    @Override
    public String toString() {
      return "0x%x-0x%x".formatted(first, last);
    }
  }

  private final AddressMap map;
  private final AddressMap reserved = new AddressMap();
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
    return holds(address, size) && map.addUnlessTaken(address, size, device);
  }

  /** Returns whether all of these addresses are handed on. */
  public boolean holds(long address, long size) {
    return windows.stream().anyMatch(window -> window.holds(address, size));
  }

  /**
   * Keeps addresses that are handed on for a device, wherever it is, from others that are kept
   * some.
   *
   * @return whether none of them is kept for another one
   */
  public boolean reserve(long address, long size, BusDevice device) {
    return reserved.addUnlessTaken(address, size, device);
  }

  /** Ends {@link #reserve}. */
  public void release(BusDevice device) {
    reserved.remove(device);
  }

  /** Takes a device away. */
  public void remove(BusDevice device) {
    map.remove(device);
  }

  /** Returns the addresses that are handed on. */
  @Override
  public String toString() {
    return windows.stream().map(Window::toString).collect(Collectors.joining(" and "));
  }
}
