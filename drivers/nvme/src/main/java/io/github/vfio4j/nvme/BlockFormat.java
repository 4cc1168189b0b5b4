package io.github.vfio4j.nvme;

/**
 * A format that a namespace can be given.
 *
 * @param index the controller's number for it
 * @param blockSize bytes in a block
 * @param metadataSize bytes of metadata beside each block; a namespace that has some cannot be used
 *     by this driver
 * @param performance how fast it is among the others: 0 is the best, 3 the worst
 */
public record BlockFormat(int index, int blockSize, int metadataSize, int performance) {
  private static final int SMALLEST_SHIFT = 9;
  private static final int LARGEST_SHIFT = 30;

  /** Takes a descriptor apart. */
  static BlockFormat parse(int index, int descriptor) {
    int shift = descriptor >>> 16 & 0xff;
    boolean usable = shift >= SMALLEST_SHIFT && shift <= LARGEST_SHIFT;
    return new BlockFormat(
        index, usable ? 1 << shift : 0, descriptor & 0xffff, descriptor >>> 24 & 3);
  }

  /** Returns the index as a namespace's description has it. */
  int asSize() {
    return (index & 0xf) | (index >>> 4 & 3) << 5;
  }

  /** Returns the index as Format has it. */
  int asFormat() {
    return (index & 0xf) | (index >>> 4 & 3) << 12;
  }
}
