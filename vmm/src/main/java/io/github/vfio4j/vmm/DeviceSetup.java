package io.github.vfio4j.vmm;

import io.github.vfio4j.Backend;
import io.github.vfio4j.HostDevice;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * A device for a virtual machine: which one, and how the guest gets it. Immutable; each method that
 * changes something returns another one.
 */
public final class DeviceSetup {
  /** Opens a device that is neither one of VFIO's nodes nor a descriptor, such as a model. */
  @FunctionalInterface
  public interface Opening {
    /**
     * Opens it.
     *
     * @return the open device, which the machine closes; its address space is its own, and takes
     *     all of the guest's memory
     * @throws VfioException if it cannot be opened
     */
    VfioDevice open() throws VfioException;
  }

  /** Where a device comes from. */
  sealed interface Source {}

  record Node(HostDevice device, Backend backend) implements Source {}

  record Descriptor(int fd) implements Source {}

  record Opened(Opening opening) implements Source {}

  private static final int BARS = 6;

  private final String name;
  private final Source source;
  private final int slot;
  private final Set<Integer> unmapped;
  private final Map<Integer, Long> fixedBars;
  private final int memoryNodes;

  private DeviceSetup(String name, Source source) {
    this(name, source, 0, Set.of(), Map.of(), 0);
  }

  private DeviceSetup(
      String name,
      Source source,
      int slot,
      Set<Integer> unmapped,
      Map<Integer, Long> fixedBars,
      int memoryNodes) {
    this.name = name;
    this.source = source;
    this.slot = slot;
    this.unmapped = unmapped;
    this.fixedBars = fixedBars;
    this.memoryNodes = memoryNodes;
  }

  /**
   * Returns the setup of a device of this host, by its cdev where it has one.
   *
   * @param device the device, which a driver of VFIO has
   * @return the setup
   */
  public static DeviceSetup of(HostDevice device) {
    return of(device, device.cdev().isPresent() ? Backend.IOMMUFD : Backend.CONTAINER);
  }

  /**
   * Returns the setup of a device of this host.
   *
   * @param device the device, which a driver of VFIO has
   * @param backend by cdev and iommufd, or by container and group
   * @return the setup
   * @throws IllegalArgumentException if it is another backend
   */
  public static DeviceSetup of(HostDevice device, Backend backend) {
    if (backend != Backend.IOMMUFD && backend != Backend.CONTAINER) {
      throw new IllegalArgumentException("a device of this host has no backend " + backend);
    }
    return new DeviceSetup(device.name(), new Node(device, backend));
  }

  /**
   * Returns the setup of a device whose cdev somebody else has opened.
   *
   * @param name what it is called
   * @param fd the open file's number; it is duplicated, so the caller's stays the caller's
   * @return the setup
   */
  public static DeviceSetup passed(String name, int fd) {
    return new DeviceSetup(name, new Descriptor(fd));
  }

  /**
   * Returns the setup of a device that is opened in some other way, such as a model of one.
   *
   * <pre>{@code
   * DeviceSetup.opened("edu", modelHost::open)
   * }</pre>
   *
   * @param name what it is called
   * @param opening opens it
   * @return the setup
   */
  public static DeviceSetup opened(String name, Opening opening) {
    return new DeviceSetup(name, new Opened(opening));
  }

  /**
   * Returns the same in a certain slot of the guest's bus; else the first free one is taken.
   *
   * @param number from 1 to 31
   * @return the other setup
   * @throws IllegalArgumentException if there is no such slot
   */
  public DeviceSetup slot(int number) {
    if (number < 1 || number > 31) {
      throw new IllegalArgumentException("slots for devices are 1 to 31, not " + number);
    }
    return new DeviceSetup(name, source, number, unmapped, fixedBars, memoryNodes);
  }

  /**
   * Returns the same with BARs that the guest does not reach by itself: each access to them stops
   * its processor, and is done for it.
   *
   * @param bars their numbers, from 0 to 5
   * @return the other setup
   */
  public DeviceSetup unmapped(Set<Integer> bars) {
    return new DeviceSetup(name, source, slot, Set.copyOf(bars), fixedBars, memoryNodes);
  }

  /**
   * Returns the same with a BAR at a certain address of the guest from power-on on, as firmware
   * would have put it there: where addresses in the guest have to be those of the host. Linux
   * leaves it there, unless the device comes while it runs: then Linux puts it where it likes, up
   * to the next reset. A guest that writes the register moves the BAR. That the device has such a
   * BAR, and the address is one for it, is checked when the device is opened.
   *
   * @param bar its number, from 0 to 5
   * @param address a multiple of the BAR's size: on a PC from 3 GiB to 3.5 GiB or, if its register
   *     has 64 bits, from 256 GiB to 512 GiB; of ports from 0xc000 to 0xffff
   * @return the other setup
   * @throws IllegalArgumentException if there is no such number, or the address is not positive
   */
  public DeviceSetup fixedBar(int bar, long address) {
    if (bar < 0 || bar >= BARS) {
      throw new IllegalArgumentException("BARs are 0 to 5, not " + bar);
    }
    if (address <= 0) {
      throw new IllegalArgumentException("BAR %d cannot be at 0x%x".formatted(bar, address));
    }
    Map<Integer, Long> more = new HashMap<>(fixedBars);
    more.put(bar, address);
    return new DeviceSetup(name, source, slot, unmapped, Map.copyOf(more), memoryNodes);
  }

  /**
   * Returns the same with nodes for memory of its own, which Linux adds to its own memory there: a
   * generic initiator of ACPI for each. Only a device that is there at power-on has them.
   *
   * @param count how many: of a GPU of Grace Hopper 8, one for each partition it may have
   * @return the other setup
   * @throws IllegalArgumentException if there are less than 0, or more than 8
   */
  public DeviceSetup memoryNodes(int count) {
    if (count < 0 || count > 8) {
      throw new IllegalArgumentException("a device has up to 8 memory nodes, not " + count);
    }
    return new DeviceSetup(name, source, slot, unmapped, fixedBars, count);
  }

  /**
   * Returns what messages and orders call the device.
   *
   * @return the name: of a device of this host its address
   */
  public String name() {
    return name;
  }

  Source source() {
    return source;
  }

  /** Returns the slot, 0 for any. */
  int slot() {
    return slot;
  }

  int memoryNodes() {
    return memoryNodes;
  }

  /** Returns the addresses of BARs that begin somewhere, by their numbers. */
  Map<Integer, Long> fixedBars() {
    return fixedBars;
  }

  Set<Integer> unmapped() {
    return unmapped;
  }

  /** Returns the device's name. */
  @Override
  public String toString() {
    return name;
  }
}
