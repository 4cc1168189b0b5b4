package io.github.vfio4j.vmm.passthrough;

import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.device.MappedMemory;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.bus.BusDevice;
import io.github.vfio4j.vmm.kvm.MemorySlot;
import io.github.vfio4j.vmm.kvm.MemorySlots;
import io.github.vfio4j.vmm.pci.Windows;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A BAR of a device, or its ROM, where the guest has put it. Parts that can be mapped the guest
 * reaches by itself; an access to the rest, or to what is not mapped, comes here.
 */
final class Bar implements BusDevice {
  private static final long NOWHERE = -1;

  private final int number;
  private final Region region;
  private final long size;
  private final Windows windows;
  private final MemorySlots slots;
  private final @Nullable Msix table;
  private final List<MappedRegion> mappings = new ArrayList<>();
  private @Nullable PeerAccess peers;
  private final List<MemorySlot> seen = new ArrayList<>();
  private long address = NOWHERE;

  /** Read by who accesses it, without a lock. */
  private volatile boolean closed;

  /**
   * Makes one that is nowhere yet.
   *
   * @param size how many addresses it takes: a power of two
   * @param table what answers in place of a part of it
   */
  Bar(
      int number,
      Region region,
      long size,
      Windows windows,
      MemorySlots slots,
      @Nullable Msix table) {
    this.number = number;
    this.region = region;
    this.size = size;
    this.windows = windows;
    this.slots = slots;
    this.table = table;
  }

  /**
   * Maps parts of it into this process, for the guest to see them from now on.
   *
   * @param access lets other devices reach these parts
   */
  void map(List<MappableParts.Part> parts, PeerAccess access) throws VfioException {
    for (MappableParts.Part part : parts) {
      mappings.add(region.map(part.offset(), part.size()));
    }
    peers = access;
  }

  /** Takes it from where it was, unless it stays there. */
  void leave(long next) throws VfioException {
    if (address != NOWHERE && address != next) {
      Closing closing = new Closing();
      if (peers != null) {
        peers.take(closing);
      }
      for (MemorySlot slot : List.copyOf(seen)) {
        closing.attempt(
            () -> {
              slot.close();
              seen.remove(slot);
            });
      }
      windows.remove(this);
      address = NOWHERE;
      closing.rethrow();
    }
  }

  /** Puts it where the guest wants it, if something can be there. */
  void place(long wanted) throws VfioException {
    if (wanted == NOWHERE || address == wanted || !windows.place(wanted, size, this)) {
      return;
    }
    address = wanted;
    try (Rollback rollback = new Rollback()) {
      List<MemorySlot> slotsMade = new ArrayList<>();
      for (MappedRegion mapping : mappings) {
        if (mapping instanceof MappedMemory memory) {
          slotsMade.add(
              rollback.make(
                  () ->
                      slots.map(wanted + mapping.offset(), memory.place(), mapping.size(), mapping),
                  MemorySlot::close));
        }
      }
      seen.addAll(rollback.done(slotsMade));
    }
    sharePeers();
  }

  /** Lets other devices reach it, where it is somewhere. */
  void sharePeers() {
    if (peers != null && address != NOWHERE) {
      peers.give(address);
    }
  }

  /** Lets other devices reach it again, after the device was reset. */
  void restorePeers() {
    if (peers != null) {
      peers.restore();
    }
  }

  @Override
  public long read(long offset, int width) throws VfioException {
    if (closed) {
      return -1;
    }
    if (table != null && table.holds(number, offset)) {
      return table.read(offset, width);
    }
    if (offset + width > region.size()) {
      return -1;
    }
    return switch (width) {
      case Byte.BYTES -> region.readByte(offset);
      case Short.BYTES -> region.readShort(offset);
      case Integer.BYTES -> region.readInt(offset);
      default -> region.readLong(offset);
    };
  }

  @Override
  public void write(long offset, int width, long value) throws VfioException {
    if (closed) {
      return;
    }
    if (table != null && table.holds(number, offset)) {
      table.write(offset, width, value);
    } else if (offset + width <= region.size() && region.info().writable()) {
      switch (width) {
        case Byte.BYTES -> region.writeByte(offset, (byte) value);
        case Short.BYTES -> region.writeShort(offset, (short) value);
        case Integer.BYTES -> region.writeInt(offset, (int) value);
        default -> region.writeLong(offset, value);
      }
    }
  }

  void close(Closing closing) {
    closed = true;
    closing.attempt(() -> leave(NOWHERE));
    windows.release(this);
    if (seen.isEmpty()) { // else the guest would see other memory in its place
      for (MappedRegion mapping : mappings) {
        closing.attempt(mapping::close);
      }
      mappings.clear();
    }
  }
}
