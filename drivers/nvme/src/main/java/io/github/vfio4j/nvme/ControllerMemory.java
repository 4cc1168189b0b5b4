package io.github.vfio4j.nvme;

import io.github.vfio4j.IovaRange;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Memory of the controller's own (controller memory buffer, CMB), behind one of its BARs, of which
 * submission queues take parts. Thread-safe; {@link Part#setLong} is hot code.
 */
final class ControllerMemory implements AutoCloseable {
  private static final long LOCATION = 0x38;
  private static final long SIZE = 0x3c;
  private static final long CONTROL = 0x50;
  private static final long STATUS = 0x58;

  private static final long REGISTERS_ENABLED = 1;
  private static final long SPACE_ENABLED = 1 << 1;
  private static final int ADDRESS_INVALID = 1;
  private static final int SUBMISSION_QUEUES = 1;
  private static final int LARGEST_UNIT = 6;

  private static final int REGISTERS = 0x1000;
  private static final long ABOVE_INTERRUPTS = 1L << 32;
  private static final String OPERATION = "use the controller's memory";

  /**
   * What the registers say.
   *
   * @param location which BAR, and where in it (CMBLOC)
   * @param size how much, and what for (CMBSZ)
   */
  record Place(int location, int size) {
    boolean isForSubmissionQueues() {
      return (size & SUBMISSION_QUEUES) != 0 && bytes() != 0;
    }

    int bar() {
      return location & 7;
    }

    private int unitShift() {
      return 12 + 4 * (size >>> 8 & 0xf);
    }

    /** Returns where in the BAR it begins: 20 bits, in units of at most 64 GiB. */
    long offset() {
      return (long) (location >>> 12) << unitShift();
    }

    long bytes() {
      return (long) (size >>> 12) << unitShift();
    }

    /** Returns what is wrong with it in a BAR of a size, or null. */
    @Nullable String fault(long barSize, long registers) {
      if ((size >>> 8 & 0xf) > LARGEST_UNIT) {
        return "its unit of size is number %d, which is none".formatted(size >>> 8 & 0xf);
      }
      if (bar() == 1 || bar() > 5) {
        return "it would lie in BAR " + bar();
      }
      if (offset() >= barSize) {
        return "it would lie at 0x%x of BAR %d, which has 0x%x bytes"
            .formatted(offset(), bar(), barSize);
      }
      if (bar() == 0 && offset() < registers) {
        return "it would lie at 0x%x of BAR 0, where its registers are".formatted(offset());
      }
      return null;
    }
  }

  private final VfioDevice device;
  private final ControllerRegisters registers;
  private final Place place;
  private final MappedRegion bar;
  private final long address;
  private final TreeMap<Long, Part> taken = new TreeMap<>();

  private ControllerMemory(
      VfioDevice device,
      ControllerRegisters registers,
      Place place,
      MappedRegion bar,
      long address) {
    this.device = device;
    this.registers = registers;
    this.place = place;
    this.bar = bar;
    this.address = address;
  }

  /**
   * Takes the controller's memory into use.
   *
   * @return the memory, or null if it has none in which submission queues can be
   */
  static @Nullable ControllerMemory open(VfioDevice device, ControllerRegisters registers)
      throws VfioException {
    if (!registers.capabilities().hasControllerMemory()) {
      return null;
    }
    ControllerMemory memory = find(device, registers);
    if (memory == null) {
      leave(registers);
    }
    return memory;
  }

  private static @Nullable ControllerMemory find(VfioDevice device, ControllerRegisters registers)
      throws VfioException {
    registers.mapped().setLong(CONTROL, REGISTERS_ENABLED);
    registers.requireAlive(OPERATION);
    Place place = read(registers);
    if (!place.isForSubmissionQueues()) {
      return null;
    }
    long barSize = place.bar() > 5 ? 0 : device.pci().bar(place.bar()).size();
    String fault = place.fault(barSize, endOfRegisters(registers.capabilities()));
    if (fault != null) {
      throw new VfioException(OPERATION, device.name(), null, fault);
    }
    long address = address(device.name(), device.addressSpace().iovaRanges(), place.bytes());
    MappedRegion bar = map(device, place);
    try {
      ControllerMemory memory = new ControllerMemory(device, registers, place, bar, address);
      memory.enable();
      return memory;
    } catch (Throwable e) {
      try (bar) {
        throw e;
      }
    }
  }

  private static Place read(ControllerRegisters registers) {
    return new Place(registers.mapped().getInt(LOCATION), registers.mapped().getInt(SIZE));
  }

  /** Returns where the last doorbell ends that there can be. */
  private static long endOfRegisters(Capabilities capabilities) {
    return REGISTERS + (1L << Short.SIZE) * 2 * capabilities.doorbellStride();
  }

  private static MappedRegion map(VfioDevice device, Place place) throws VfioException {
    try {
      return device.pci().bar(place.bar()).map();
    } catch (UnsupportedOperationException e) {
      VfioException failure =
          new VfioException(
              OPERATION, device.name(), null, "BAR %d cannot be mapped".formatted(place.bar()));
      failure.initCause(e);
      throw failure;
    }
  }

  /**
   * Chooses where the controller shall see its own memory. It compares the addresses that it is
   * given with that range before the IOMMU sees them, so what is mapped there it would not reach.
   * Addresses that cannot be mapped at all need not be kept free, and where the controller should
   * go by the IOMMU after all, it hits nothing there. Those above all that can be mapped are best;
   * gaps below 4 GiB may be those to which interrupts are written.
   */
  static long address(String device, List<IovaRange> ranges, long size) throws VfioException {
    long unit = Math.max(Rings.PAGE, Long.highestOneBit(2 * size - 1));
    long end = 0; // of the gap, 2^64 at first
    for (IovaRange range : ranges.reversed()) {
      long first = range.last() + 1;
      long address = (first + unit - 1) & -unit;
      boolean isThere =
          first != 0
              && Long.compareUnsigned(address, first) >= 0
              && Long.compareUnsigned(address, end - 1) <= 0
              && Long.compareUnsigned(address, ABOVE_INTERRUPTS) >= 0;
      // An end of 2^64 is one that controllers may take for 0.
      if (isThere && Long.compareUnsigned(size, end - 1 - address) <= 0) {
        return address;
      }
      end = range.first();
    }
    throw new VfioException(
        OPERATION,
        device,
        null,
        "there are no 0x%x bytes of addresses that cannot be memory's".formatted(size));
  }

  /** Has the controller use its memory, also after a reset, which may have ended that. */
  void enable() throws VfioException {
    registers.mapped().setLong(CONTROL, address | SPACE_ENABLED | REGISTERS_ENABLED);
    Place now = read(registers);
    if ((registers.mapped().getInt(STATUS) & ADDRESS_INVALID) != 0) {
      registers.requireAlive(OPERATION);
      throw new VfioException(
          OPERATION, device.name(), null, "it does not take the address 0x%x".formatted(address));
    }
    if (!now.equals(place)) {
      registers.requireAlive(OPERATION);
      throw new VfioException(OPERATION, device.name(), null, "it is elsewhere after a reset");
    }
  }

  /**
   * Has the controller use no memory of its own. Somebody before may have left it in use at an
   * address that is memory's now.
   */
  static void leave(ControllerRegisters registers) {
    if (registers.capabilities().hasControllerMemory()) {
      registers.mapped().setLong(CONTROL, 0);
    }
  }

  /**
   * Takes a part.
   *
   * @param size bytes, whole pages
   * @return the part, or null if there is no room; whoever has it closes it
   */
  synchronized @Nullable Part take(long size) {
    long free = place.offset();
    for (Part part : taken.values()) {
      if (part.start - free >= size) {
        break;
      }
      free = part.end;
    }
    // What lies behind the end of the BAR is not there, as the specification has it.
    long end = Math.min(bar.size(), place.offset() + place.bytes());
    if (end - free < size) {
      return null;
    }
    Part part = new Part(free, free + size);
    taken.put(free, part);
    return part;
  }

  private synchronized void give(Part part) {
    taken.remove(part.start, part);
  }

  /** Has the controller use no memory of its own. */
  @Override
  public void close() throws VfioException {
    try (bar) {
      if (!device.isClosed() && !registers.isGone()) {
        leave(registers);
      }
    }
  }

  /** A part of the memory. */
  final class Part implements AutoCloseable {
    private final MappedRegion region = bar;
    private final long start;
    private final long end;

    private Part(long start, long end) {
      this.start = start;
      this.end = end;
    }

    /** Returns the address by which the controller knows it. */
    long iova() {
      return address + start - place.offset();
    }

    void setLong(long at, long value) {
      region.setLong(start + at, value);
    }

    @Override
    public void close() {
      give(this);
    }
  }
}
