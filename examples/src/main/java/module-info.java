/** Programs of one file each, to be copied. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.examples {
  requires static org.jspecify;
  requires io.github.vfio4j.core;
  requires io.github.vfio4j.edu;
  requires io.github.vfio4j.model;
}
