package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A region of a device: a PCI BAR, the configuration space, or one of the driver's own.
 *
 * <p>Reads and writes go through the kernel and work on every region; {@link #map} gives direct
 * access where the kernel allows it. Thread-safe; it belongs to its device and ends with it: then
 * its methods that need the device throw {@link IllegalStateException}.
 *
 * <p>While the memory of a PCI device is switched off, accesses to its BARs fail with {@code EIO},
 * a {@link VfioException}; during a reset they wait. A device that is there no more reads as all
 * ones.
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
   * Waits until some of 8 bits have a value, reading them by {@link #readByte}: each look is a
   * system call. It is as {@link #awaitInt}.
   *
   * @param offset bytes from the start of the region
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 8 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  default byte awaitByte(long offset, int mask, int value, Duration timeout) throws VfioException {
    return (byte)
        new BitsWait(
                Byte.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, offset, () -> Byte.toUnsignedLong(readByte(offset)));
  }

  /**
   * Waits until some of 16 bits have a value, reading them by {@link #readShort}: each look is a
   * system call. It is as {@link #awaitInt}.
   *
   * @param offset bytes from the start of the region
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 16 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  default short awaitShort(long offset, int mask, int value, Duration timeout)
      throws VfioException {
    return (short)
        new BitsWait(
                Short.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, offset, () -> Short.toUnsignedLong(readShort(offset)));
  }

  /**
   * Waits until some of 32 bits have a value, reading them by {@link #readInt}: each look is a
   * system call.
   *
   * <p>It looks without a pause for some microseconds, then sleeps in between, up to a millisecond;
   * the last look is after the timeout. A device that has gone reads as all ones, so a wait for
   * ones only may come to its end by that: have a bit in the mask that stays 0.
   *
   * @param offset bytes from the start of the region
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 32 bits, as they were seen then
   * @throws IllegalArgumentException if the mask is 0, or the value has bits outside it, or the
   *     timeout is negative
   * @throws IndexOutOfBoundsException if a part lies outside
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException if the thread is interrupted, and stays so, or as {@link #read}
   */
  default int awaitInt(long offset, int mask, int value, Duration timeout) throws VfioException {
    return (int)
        new BitsWait(
                Integer.SIZE, Integer.toUnsignedLong(mask), Integer.toUnsignedLong(value), timeout)
            .onRegister(this, offset, () -> Integer.toUnsignedLong(readInt(offset)));
  }

  /**
   * Waits until some of 64 bits have a value, reading them by {@link #readLong}: each look is a
   * system call. It is as {@link #awaitInt}.
   *
   * @param offset bytes from the start of the region
   * @param mask which bits
   * @param value what they shall be
   * @param timeout how long to wait; zero only looks
   * @return all 64 bits, as they were seen then
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #read}
   * @throws IllegalArgumentException as {@link #awaitInt}
   * @throws IndexOutOfBoundsException as {@link #awaitInt}
   * @throws DeviceTimeoutException if the bits do not have the value in time
   * @throws VfioException as {@link #awaitInt}
   */
  default long awaitLong(long offset, long mask, long value, Duration timeout)
      throws VfioException {
    return new BitsWait(Long.SIZE, mask, value, timeout)
        .onRegister(this, offset, () -> readLong(offset));
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

  /**
   * Maps all of the region that can be mapped, area by area, each as {@link #map(long, long)} does:
   * the areas of its {@link RegionCapability.SparseMmap}, or else the whole region.
   *
   * @return a mapping for each of {@link RegionInfo#mappableAreas}, in that order; they are the
   *     caller's, and the device closes them at the latest
   * @throws IllegalArgumentException if an area is not whole pages
   * @throws UnsupportedOperationException if nothing of the region can be mapped
   * @throws VfioException if the kernel refuses one of them; none is left mapped then
   */
  default List<MappedRegion> mapAreas() throws VfioException {
    List<RegionCapability.SparseMmap.Area> areas = info().mappableAreas();
    if (areas.isEmpty()) {
      throw new UnsupportedOperationException(
          this + " cannot be mapped; use its read and write methods");
    }
    List<MappedRegion> mapped = new ArrayList<>(areas.size());
    try {
      for (RegionCapability.SparseMmap.Area area : areas) {
        mapped.add(map(area.offset(), area.size()));
      }
      return List.copyOf(mapped);
    } catch (Throwable failure) {
      for (MappedRegion one : mapped) {
        try {
          one.close();
        } catch (VfioException | RuntimeException | Error e) {
          failure.addSuppressed(e);
        }
      }
      throw failure;
    }
  }
}
