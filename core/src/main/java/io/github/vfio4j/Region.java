package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A region of a device: a PCI BAR, the configuration space, or one of the driver's own.
 *
 * <p>Reads and writes go through the kernel and work on every region; {@link #map} gives direct
 * access where the kernel allows it. Thread-safe; it belongs to its device and ends with it: then
 * its methods that need the device throw {@link IllegalStateException}.
 */
public interface Region {
  /**
   * Returns what the kernel says of this region.
   *
   * @return as read when the region was first asked for
   */
  RegionInfo info();

  /**
   * Returns how large the region is.
   *
   * @return bytes; 0 for a region that the device does not have
   */
  default long size() {
    return info().size();
  }

  /**
   * Reads from the region; {@code pread} on the device.
   *
   * <p>The kernel splits it into accesses of 1, 2, 4 or 8 aligned bytes, in ascending order.
   *
   * @param offset bytes from the start of the region
   * @param target native memory, filled whole
   * @throws IllegalArgumentException if the memory is on the heap or read-only
   * @throws IndexOutOfBoundsException if a part lies outside the region
   * @throws VfioException if the region is not readable, or the kernel refuses or delivers less
   */
  void read(long offset, MemorySegment target) throws VfioException;

  /**
   * Writes to the region; {@code pwrite} on the device.
   *
   * <p>The kernel splits it into accesses of 1, 2, 4 or 8 aligned bytes, in ascending order.
   *
   * @param offset bytes from the start of the region
   * @param source native memory, written whole
   * @throws IllegalArgumentException if the memory is on the heap
   * @throws IndexOutOfBoundsException if a part lies outside the region
   * @throws VfioException if the region is not writable, or the kernel refuses or takes less
   */
  void write(long offset, MemorySegment source) throws VfioException;

  /**
   * Reads 8 bits.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws VfioException as {@link #read}
   */
  default byte readByte(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_BYTE);
      read(offset, value);
      return value.get(JAVA_BYTE, 0);
    }
  }

  /**
   * Reads 16 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws VfioException as {@link #read}
   */
  default short readShort(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(LittleEndian.SHORT);
      read(offset, value);
      return value.get(LittleEndian.SHORT, 0);
    }
  }

  /**
   * Reads 32 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws VfioException as {@link #read}
   */
  default int readInt(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(LittleEndian.INT);
      read(offset, value);
      return value.get(LittleEndian.INT, 0);
    }
  }

  /**
   * Reads 64 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws VfioException as {@link #read}
   */
  default long readLong(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(LittleEndian.LONG);
      read(offset, value);
      return value.get(LittleEndian.LONG, 0);
    }
  }

  /**
   * Writes 8 bits.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws IndexOutOfBoundsException as {@link #write}
   * @throws VfioException as {@link #write}
   */
  default void writeByte(long offset, byte value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(JAVA_BYTE, value));
    }
  }

  /**
   * Writes 16 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws IndexOutOfBoundsException as {@link #write}
   * @throws VfioException as {@link #write}
   */
  default void writeShort(long offset, short value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(LittleEndian.SHORT, value));
    }
  }

  /**
   * Writes 32 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws IndexOutOfBoundsException as {@link #write}
   * @throws VfioException as {@link #write}
   */
  default void writeInt(long offset, int value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(LittleEndian.INT, value));
    }
  }

  /**
   * Writes 64 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws IndexOutOfBoundsException as {@link #write}
   * @throws VfioException as {@link #write}
   */
  default void writeLong(long offset, long value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(LittleEndian.LONG, value));
    }
  }

  /**
   * Maps the whole region into this process; {@code mmap} on the device. The mapping allows what
   * the region does: loads if it can be read, stores if it can be written.
   *
   * @return the mapping; it is the caller's, and the device closes it at the latest
   * @throws UnsupportedOperationException if the region cannot be mapped whole; {@link #info} says
   *     whether parts of it can, and {@link #read} and {@link #write} work all the same
   * @throws VfioException if the kernel refuses
   */
  default MappedRegion map() throws VfioException {
    return map(0, size());
  }

  /**
   * Maps a part of the region into this process; {@code mmap} on the device. The mapping allows
   * what the region does, as {@link #map()}'s.
   *
   * @param offset bytes from the start of the region, a multiple of the page size
   * @param size bytes, a multiple of the page size or all that is left of the region
   * @return the mapping; it is the caller's, and the device closes it at the latest
   * @throws IllegalArgumentException if offset or size are not whole pages
   * @throws IndexOutOfBoundsException if a part lies outside the region
   * @throws UnsupportedOperationException if the region, or this part of it, cannot be mapped
   * @throws VfioException if the kernel refuses
   */
  MappedRegion map(long offset, long size) throws VfioException;
}
