/** A driver for the edu device of QEMU, small enough to learn from. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.edu {
  requires static transitive org.jspecify;
  requires transitive io.github.vfio4j.core;

  exports io.github.vfio4j.edu;
}
