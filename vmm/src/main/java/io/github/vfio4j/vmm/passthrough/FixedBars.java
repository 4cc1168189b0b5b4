package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.vmm.pci.PciHost;
import io.github.vfio4j.vmm.pci.Windows;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The BARs of a device that a guest finds at certain addresses, as firmware would have put them.
 */
public final class FixedBars {
  /** Where a BAR is that nobody has put anywhere. */
  static final long NOWHERE = 0;

  private static final long FOUR_GIB = 1L << 32;

  private final String device;
  private final Map<Integer, Long> addresses;

  /**
   * Takes down what is wanted.
   *
   * @param device the device's name
   * @param addresses the addresses of BARs, by their numbers
   */
  public FixedBars(String device, Map<Integer, Long> addresses) {
    this.device = device;
    this.addresses = new TreeMap<>(addresses);
  }

  /** Refuses addresses that no BAR of the bus can have, for which no device need be open. */
  public void requireWindows(PciHost host) throws VfioException {
    for (Map.Entry<Integer, Long> each : addresses.entrySet()) {
      long address = each.getValue();
      if (!host.memoryWindows().holds(address, 1) && !host.portWindows().holds(address, 1)) {
        throw refusal(
            each.getKey(),
            "the guest has memory of devices at %s, and ports at %s"
                .formatted(host.memoryWindows(), host.portWindows()));
      }
    }
  }

  /** Refuses BARs that the device does not have. */
  void requireAmong(Set<Integer> numbers) throws VfioException {
    for (int number : addresses.keySet()) {
      if (!numbers.contains(number)) {
        throw refusal(number, "it has no such BAR: it has " + numbers);
      }
    }
  }

  /**
   * Has a BAR keep its address from other devices, as long as it is open.
   *
   * @param size bytes, a power of two
   * @param windows where it may be
   * @return the address, {@link #NOWHERE} if none is wanted
   */
  long take(BaseAddress register, long size, Windows windows, Bar bar) throws VfioException {
    int number = register.number();
    long address = addresses.getOrDefault(number, NOWHERE);
    if (address == NOWHERE) {
      return NOWHERE;
    }
    if (address % size != 0) {
      throw refusal(number, "that is no multiple of its size, 0x%x".formatted(size));
    }
    if (register.kind() == BaseAddress.Kind.MEMORY_32 && address >= FOUR_GIB) {
      throw refusal(number, "its register has 32 bits, and reaches 4 GiB");
    }
    if (!windows.holds(address, size)) {
      boolean ports = register.kind() == BaseAddress.Kind.IO;
      throw refusal(
          number,
          "it is 0x%x bytes of %s, which the guest has at %s"
              .formatted(size, ports ? "ports" : "memory", windows));
    }
    if (!windows.reserve(address, size, bar)) {
      throw refusal(number, "another fixed BAR is in its 0x%x bytes".formatted(size));
    }
    return address;
  }

  private VfioException refusal(int number, String why) {
    long address = addresses.getOrDefault(number, NOWHERE);
    return new VfioException("fix BAR %d at 0x%x".formatted(number, address), device, null, why);
  }
}
