package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.linux.DeviceMapping;
import io.github.vfio4j.linux.Fd;
import io.github.vfio4j.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A region of a device: a PCI BAR, the configuration space, or one of the driver's own.
 *
 * <p>Reads and writes go through the kernel and work on every region; {@link #map} gives direct
 * access where the kernel allows it. Thread-safe; it belongs to its device and ends with it.
 */
public final class Region {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final VfioDevice device;
  private final Kernel kernel;
  private final Fd fd;
  private final RegionInfo info;

  Region(VfioDevice device, Kernel kernel, Fd fd, RegionInfo info) {
    this.device = device;
    this.kernel = kernel;
    this.fd = fd;
    this.info = info;
  }

  /**
   * Returns what the kernel says of this region.
   *
   * @return as read when the region was first asked for
   */
  public RegionInfo info() {
    return info;
  }

  /**
   * Returns how large the region is.
   *
   * @return bytes; 0 for a region that the device does not have
   */
  public long size() {
    return info.size();
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
  public void read(long offset, MemorySegment target) throws VfioException {
    if (target.isReadOnly()) {
      throw new IllegalArgumentException("Cannot read " + this + " into read-only memory");
    }
    transfer("pread", offset, target, info.readable(), kernel::pread);
  }

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
  public void write(long offset, MemorySegment source) throws VfioException {
    transfer("pwrite", offset, source, info.writable(), kernel::pwrite);
  }

  @FunctionalInterface
  private interface Transfer {
    long run(int fd, MemorySegment buffer, long offset);
  }

  private void transfer(
      String operation, long offset, MemorySegment buffer, boolean allowed, Transfer transfer)
      throws VfioException {
    long size = buffer.byteSize();
    if (offset < 0 || size > info.size() || offset > info.size() - size) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x of %s, which has 0x%x".formatted(size, offset, this, info.size()));
    }
    if (!buffer.isNative()) {
      throw new IllegalArgumentException(
          "Cannot " + operation + " " + this + " with memory on the Java heap; use native memory");
    }
    if (!allowed) {
      throw new VfioException(operation, toString(), null, "the region does not allow it");
    }
    int number = fd.acquire();
    try {
      long done = 0;
      while (done < size) {
        long answer = transfer.run(number, buffer.asSlice(done), info.offset() + offset + done);
        if (answer < 0) {
          throw Failure.of(
              operation, toString(), (int) answer, "at offset 0x%x".formatted(offset + done));
        }
        if (answer == 0 || answer > size - done) {
          throw new VfioException(
              operation,
              toString(),
              null,
              "%d of %d bytes moved at offset 0x%x".formatted(answer, size - done, offset + done));
        }
        done += answer;
      }
    } finally {
      fd.release();
    }
  }

  /**
   * Reads 8 bits.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws VfioException as {@link #read}
   */
  public byte readByte(long offset) throws VfioException {
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
   * @throws VfioException as {@link #read}
   */
  public short readShort(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(SHORT);
      read(offset, value);
      return value.get(SHORT, 0);
    }
  }

  /**
   * Reads 32 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws VfioException as {@link #read}
   */
  public int readInt(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(INT);
      read(offset, value);
      return value.get(INT, 0);
    }
  }

  /**
   * Reads 64 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @return the value
   * @throws VfioException as {@link #read}
   */
  public long readLong(long offset) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(LONG);
      read(offset, value);
      return value.get(LONG, 0);
    }
  }

  /**
   * Writes 8 bits.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws VfioException as {@link #write}
   */
  public void writeByte(long offset, byte value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(JAVA_BYTE, value));
    }
  }

  /**
   * Writes 16 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws VfioException as {@link #write}
   */
  public void writeShort(long offset, short value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(SHORT, value));
    }
  }

  /**
   * Writes 32 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws VfioException as {@link #write}
   */
  public void writeInt(long offset, int value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(INT, value));
    }
  }

  /**
   * Writes 64 bits, little-endian.
   *
   * @param offset bytes from the start of the region
   * @param value the value
   * @throws VfioException as {@link #write}
   */
  public void writeLong(long offset, long value) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      write(offset, arena.allocateFrom(LONG, value));
    }
  }

  /**
   * Maps the whole region into this process; {@code mmap} on the device.
   *
   * @return the mapping; it is the caller's, and the device closes it at the latest
   * @throws UnsupportedOperationException if the region cannot be mapped whole; {@link #info} says
   *     whether parts of it can, and {@link #read} and {@link #write} work all the same
   * @throws VfioException if the kernel refuses
   */
  public MappedRegion map() throws VfioException {
    return map(0, info.size());
  }

  /**
   * Maps a part of the region into this process; {@code mmap} on the device.
   *
   * @param offset bytes from the start of the region, a multiple of the page size
   * @param size bytes, a multiple of the page size or all that is left of the region
   * @return the mapping; it is the caller's, and the device closes it at the latest
   * @throws IllegalArgumentException if offset or size are not whole pages
   * @throws IndexOutOfBoundsException if a part lies outside the region
   * @throws UnsupportedOperationException if the region, or this part of it, cannot be mapped
   * @throws VfioException if the kernel refuses
   */
  public MappedRegion map(long offset, long size) throws VfioException {
    if (!info.mappable()) {
      throw new UnsupportedOperationException(
          this + " cannot be mapped; use its read and write methods");
    }
    if (offset < 0 || size <= 0 || size > info.size() || offset > info.size() - size) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x of %s, which has 0x%x".formatted(size, offset, this, info.size()));
    }
    long partial = kernel.pageSize() - 1L;
    if ((offset & partial) != 0 || ((size & partial) != 0 && offset + size != info.size())) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x of %s are not whole pages of %d"
              .formatted(size, offset, this, kernel.pageSize()));
    }
    requireWithinSparseAreas(offset, size);
    long pages = size + partial & ~partial; // a region of less than a page has the page to itself
    int number = fd.acquire();
    try {
      long address =
          DeviceMapping.request(
              kernel, number, info.offset() + offset, pages, info.readable(), info.writable());
      if (address < 0) {
        throw Failure.of("mmap", toString(), (int) address, "");
      }
      MappedRegion mapped =
          new MappedRegion(
              device::disown, toString(), DeviceMapping.at(kernel, address, pages), offset, size);
      device.own(mapped);
      return mapped;
    } finally {
      fd.release();
    }
  }

  private void requireWithinSparseAreas(long offset, long size) {
    for (RegionCapability capability : info.capabilities()) {
      if (capability instanceof SparseMmap sparse
          && sparse.areas().stream()
              .noneMatch(
                  area ->
                      offset >= area.offset()
                          && size <= area.size()
                          && offset - area.offset() <= area.size() - size)) {
        throw new UnsupportedOperationException(
            "0x%x bytes at 0x%x of %s cannot be mapped, only %s"
                .formatted(size, offset, this, sparse.areas()));
      }
    }
  }

  /** Returns what messages call this region. */
  @Override
  public String toString() {
    return "region " + info.index() + " of " + device;
  }
}
