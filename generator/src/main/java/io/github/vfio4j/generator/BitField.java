package io.github.vfio4j.generator;

/**
 * A field of a number of bits.
 *
 * @param name its name
 * @param declaration its declaration in C
 * @param bitOffset where it starts in its struct, in bits
 * @param width how many bits it has
 * @param wordSize the size of the declared type, in bytes: the word that holds it
 * @param signed 1 where the highest bit is a sign, else 0
 */
record BitField(
    String name, String declaration, int bitOffset, int width, Fact wordSize, Fact signed)
    implements Member.Named {

  /** The offset of the word that holds it, in bytes. */
  long offset() {
    return bitOffset / (8 * wordSize.asLong()) * wordSize.asLong();
  }

  /** Where it starts in that word, counted from the lowest bit (both targets are little-endian). */
  int shift() {
    int shift = (int) (bitOffset - 8 * offset());
    if (shift + width > 8 * wordSize.asLong()) {
      throw new IllegalStateException("bit-field " + name + " lies across two words");
    }
    return shift;
  }
}
