package io.github.vfio4j;

/**
 * A range of IO virtual addresses, both ends included. Addresses are unsigned 64-bit numbers: the
 * whole address space is {@code new IovaRange(0, -1)}, whose last address prints as {@code
 * 0xffffffffffffffff}.
 *
 * @param first the lowest address in the range, in bytes, unsigned
 * @param last the highest address in the range, in bytes, unsigned; not below {@code first}
 */
public record IovaRange(long first, long last) {

  /**
   * Checks that the range holds at least one address.
   *
   * @throws IllegalArgumentException if {@code last} is below {@code first}
   */
  public IovaRange {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(
          "An IOVA range ends before it starts: 0x%x-0x%x".formatted(first, last));
    }
  }

  /**
   * Returns whether an address lies in this range.
   *
   * @param iova an address, unsigned
   * @return whether it is neither below {@link #first} nor above {@link #last}
   */
  public boolean contains(long iova) {
    return Long.compareUnsigned(first, iova) <= 0 && Long.compareUnsigned(iova, last) <= 0;
  }

  /**
   * Returns whether another range lies wholly in this one.
   *
   * @param other any range
   * @return whether every address of {@code other} is in this range
   */
  public boolean contains(IovaRange other) {
    return contains(other.first) && contains(other.last);
  }

  /**
   * Returns whether this range and another have an address in common.
   *
   * @param other any range
   * @return whether at least one address is in both
   */
  public boolean overlaps(IovaRange other) {
    return Long.compareUnsigned(first, other.last) <= 0
        && Long.compareUnsigned(other.first, last) <= 0;
  }

  /** {@return the range in hexadecimal, such as {@code 0xfee00000-0xfeefffff}} */
  @Override
  public String toString() {
    return "0x%x-0x%x".formatted(first, last);
  }
}
