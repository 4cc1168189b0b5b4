package io.github.vfio4j.model.nvme;

import io.github.vfio4j.model.Bus;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/**
 * Moves data between the controller and the memory that a command names: by pages, or by one SGL.
 */
final class DataPointers {
  private static final int SUCCESS = 0;
  private static final int INVALID_FIELD = 0x002;
  private static final int TRANSFER_ERROR = 0x004;
  private static final int LENGTH_INVALID = 0x00f;
  private static final int TYPE_INVALID = 0x011;
  private static final int GRANULARITY_INVALID = 0x01e;
  private static final int PAGE = 4096;
  private static final int SCATTER_GATHER = 1;

  private final Supplier<Bus> bus;

  /** What an SGL's addresses and lengths are multiples of; 0 where it can be none. */
  private int alignment;

  private int byScatterGather;

  DataPointers(Supplier<Bus> bus) {
    this.bus = bus;
  }

  void setAlignment(int bytes) {
    alignment = bytes;
  }

  /** Returns what Identify says of SGLs. */
  int support() {
    return alignment == 0 ? 0 : alignment == 1 ? 1 : 2;
  }

  int byScatterGather() {
    return byScatterGather;
  }

  /** Moves data for an admin command, which names it by pages. */
  int moveOfAdmin(ByteBuffer command, MemorySegment data, boolean toDriver) {
    return form(command) == 0 ? byPages(command, data, toDriver) : INVALID_FIELD;
  }

  /** Moves data, and returns the status. */
  int move(ByteBuffer command, MemorySegment data, boolean toDriver) {
    return switch (form(command)) {
      case 0 -> byPages(command, data, toDriver);
      case SCATTER_GATHER -> alignment == 0 ? INVALID_FIELD : byDescriptor(command, data, toDriver);
      default -> INVALID_FIELD;
    };
  }

  private static int form(ByteBuffer command) {
    return command.get(1) >>> 6 & 3;
  }

  /** Of the descriptors there are, this knows a block of data at an address. */
  private int byDescriptor(ByteBuffer command, MemorySegment data, boolean toDriver) {
    byScatterGather++;
    long address = command.getLong(24);
    long length = Integer.toUnsignedLong(command.getInt(32));
    if (command.get(39) != 0) {
      return TYPE_INVALID;
    }
    if (length != data.byteSize()) {
      return LENGTH_INVALID;
    }
    if (((address | length) & (alignment - 1)) != 0) {
      return GRANULARITY_INVALID;
    }
    return move(address, data, toDriver) ? SUCCESS : TRANSFER_ERROR;
  }

  private int byPages(ByteBuffer command, MemorySegment data, boolean toDriver) {
    return arePagesMoved(command, data, toDriver) ? SUCCESS : TRANSFER_ERROR;
  }

  private boolean arePagesMoved(ByteBuffer command, MemorySegment data, boolean toDriver) {
    long size = data.byteSize();
    long first = command.getLong(24);
    long second = command.getLong(32);
    long done = Math.min(size, PAGE - (first & (PAGE - 1)));
    boolean all = (first & 3) == 0 && move(first, data.asSlice(0, done), toDriver);
    if (size - done > PAGE) {
      long list = second;
      while (done < size && all) {
        long page = entry(list);
        boolean last = (list & (PAGE - 1)) == PAGE - Long.BYTES;
        if (last && size - done > PAGE) {
          list = page;
          continue;
        }
        long part = Math.min(PAGE, size - done);
        all = (page & (PAGE - 1)) == 0 && move(page, data.asSlice(done, part), toDriver);
        done += part;
        list += Long.BYTES;
      }
    } else if (size > done) {
      all &= move(second, data.asSlice(done), toDriver);
    }
    return all;
  }

  private long entry(long iova) {
    byte[] bytes = new byte[Long.BYTES];
    bus.get().read(iova, MemorySegment.ofArray(bytes));
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
  }

  private boolean move(long iova, MemorySegment data, boolean toDriver) {
    return toDriver ? bus.get().write(iova, data) : bus.get().read(iova, data);
  }
}
