package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Which pages of a range of IO virtual addresses devices have written: one bit a page.
 *
 * <p>A bitmap can be filled again and again, and keeps the bits that are set until they are
 * {@linkplain #clear cleared}. Neither filling nor looking allocates. Not thread-safe.
 */
public final class DirtyBitmap {
  private static final long MOST_PAGES = 1L << 34;

  private final long iova;
  private final long length;
  private final long pageSize;
  private final long pages;
  private final MemorySegment bits;

  /**
   * Makes an empty bitmap.
   *
   * @param iova where its range starts, a multiple of the page size
   * @param length bytes of the range, a multiple of the page size, not 0
   * @param pageSize bytes that one bit stands for, a power of two; it need not be the page size of
   *     the IOMMU
   * @throws IllegalArgumentException if one of them is not such a number, the range wraps around,
   *     or the bitmap would be larger than 2 GiB
   */
  public DirtyBitmap(long iova, long length, long pageSize) {
    if (Long.bitCount(pageSize) != 1) {
      throw new IllegalArgumentException("A page size is a power of two, not " + pageSize);
    }
    if (length == 0 || ((iova | length) & (pageSize - 1)) != 0) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x are not whole pages of 0x%x".formatted(length, iova, pageSize));
    }
    if (Long.compareUnsigned(iova + (length - 1), iova) < 0) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x wrap around the address space".formatted(length, iova));
    }
    this.iova = iova;
    this.length = length;
    this.pageSize = pageSize;
    this.pages = length >>> Long.numberOfTrailingZeros(pageSize);
    if (pages > MOST_PAGES) {
      throw new IllegalArgumentException("A bitmap of " + pages + " pages is too large");
    }
    this.bits = Arena.ofAuto().allocate((pages + 63) / 64 * Long.BYTES, Long.BYTES);
  }

  /**
   * Returns the bits as the kernel writes them: 64-bit words of the processor's byte order, the
   * lowest bit being the first page.
   *
   * @return the words, to be read
   */
  public MemorySegment bits() {
    return bits.asReadOnly();
  }

  /**
   * Returns where the range starts.
   *
   * @return the first IOVA
   */
  public long iova() {
    return iova;
  }

  /**
   * Returns how long the range is.
   *
   * @return bytes
   */
  public long length() {
    return length;
  }

  /**
   * Returns how much one bit stands for.
   *
   * @return bytes, a power of two
   */
  public long pageSize() {
    return pageSize;
  }

  /**
   * Returns whether the page with an address was written.
   *
   * @param address any address in the range
   * @return whether its bit is set
   * @throws IndexOutOfBoundsException if the address is outside the range
   */
  public boolean isDirty(long address) {
    long page = page(address);
    return (bits.get(JAVA_LONG, page / 64 * Long.BYTES) >>> page & 1) != 0;
  }

  /**
   * Finds the next page that was written.
   *
   * @param from the address in the range to start from; the page that it is in counts
   * @return the first address of the page, or -1 where no more is dirty
   * @throws IndexOutOfBoundsException if the address is outside the range
   */
  public long nextDirty(long from) {
    long page = page(from);
    long word = page / 64;
    long set = bits.get(JAVA_LONG, word * Long.BYTES) & -1L << page;
    while (set == 0) {
      word++;
      if (word * Long.BYTES == bits.byteSize()) {
        return -1;
      }
      set = bits.get(JAVA_LONG, word * Long.BYTES);
    }
    long found = word * 64 + Long.numberOfTrailingZeros(set);
    return found < pages ? iova + found * pageSize : -1;
  }

  private long page(long address) {
    long page = (address - iova) >>> Long.numberOfTrailingZeros(pageSize);
    if (Long.compareUnsigned(page, pages) >= 0) {
      throw new IndexOutOfBoundsException("Address 0x%x is not in %s".formatted(address, this));
    }
    return page;
  }

  /**
   * Counts the pages that were written.
   *
   * @return how many bits are set
   */
  public long count() {
    long count = 0;
    for (long at = 0; at < bits.byteSize(); at += Long.BYTES) {
      count += Long.bitCount(bits.get(JAVA_LONG, at));
    }
    return count;
  }

  /**
   * Sets the bits that are set in another bitmap: what two of them know of one range, such as the
   * IOMMU's and the device's own, becomes one.
   *
   * @param other a bitmap of the same range and page size
   * @throws IllegalArgumentException if it is of another range or page size
   */
  public void add(DirtyBitmap other) {
    if (other.iova != iova || other.length != length || other.pageSize != pageSize) {
      throw new IllegalArgumentException(
          "%s by pages of %d cannot be added to %s by pages of %d"
              .formatted(other, other.pageSize, this, pageSize));
    }
    for (long at = 0; at < bits.byteSize(); at += Long.BYTES) {
      long within = pages - at * Byte.SIZE; // what follows the last page stands for nothing
      long known = within < Long.SIZE ? (1L << within) - 1 : -1;
      bits.set(JAVA_LONG, at, bits.get(JAVA_LONG, at) | (other.bits.get(JAVA_LONG, at) & known));
    }
  }

  /**
   * Sets the bits of all pages that a range touches: what is known to have been written, or has to
   * be taken for it.
   *
   * @param address the first address, in the bitmap's range
   * @param size bytes; with 0 nothing is set
   * @throws IndexOutOfBoundsException if a part of them is outside the range; nothing is set then
   */
  public void add(long address, long size) {
    if (size == 0) {
      return;
    }
    long last = page(address + (size - 1));
    long first = page(address);
    if (first > last || Long.compareUnsigned(size, length) > 0) {
      throw new IndexOutOfBoundsException(
          "0x%x bytes at 0x%x are not in %s".formatted(size, address, this));
    }
    for (long word = first / 64; word <= last / 64; word++) {
      long set = -1;
      if (word == first / 64) {
        set &= -1L << first;
      }
      if (word == last / 64) {
        set &= -1L >>> (63 - last % 64);
      }
      bits.set(JAVA_LONG, word * Long.BYTES, bits.get(JAVA_LONG, word * Long.BYTES) | set);
    }
  }

  /** Clears all bits. */
  public void clear() {
    bits.fill((byte) 0);
  }

  /** Returns the range in words. */
  @Override
  public String toString() {
    return "the dirty bitmap of " + new IovaRange(iova, iova + (length - 1));
  }
}
