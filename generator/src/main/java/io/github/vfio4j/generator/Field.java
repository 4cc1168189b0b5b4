package io.github.vfio4j.generator;

import java.util.List;

/**
 * A field that starts on a byte.
 *
 * @param name its name
 * @param declaration its declaration in C
 * @param type its type, or that of its elements
 * @param dimensions the lengths of an array, outermost first; empty for a single value
 * @param flexible whether this is an array without a length at the end of its struct
 * @param offset its offset in its struct, in bytes
 * @param elementSize the size of one element, in bytes
 * @param structAlignment the alignment of its struct, in bytes
 */
record Field(
    String name,
    String declaration,
    Type type,
    List<Long> dimensions,
    boolean flexible,
    Fact offset,
    Fact elementSize,
    Fact structAlignment)
    implements Member.Named {

  boolean isArray() {
    return flexible || !dimensions.isEmpty();
  }

  /** Whether every element lies on a multiple of its size wherever the struct is aligned. */
  boolean isAligned() {
    return structAlignment.asLong() >= elementSize.asLong()
        && offset.asLong() % elementSize.asLong() == 0;
  }

  /** Its size in bytes; a flexible array has none. */
  long size() {
    return flexible ? 0 : dimensions.stream().reduce(elementSize.asLong(), Math::multiplyExact);
  }
}
