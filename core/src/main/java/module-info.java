/** VFIO devices and IO address spaces, on both of the kernel's interfaces. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.core {
  requires static transitive org.jspecify;
  requires io.github.vfio4j.bindings;
  requires jdk.jfr;

  exports io.github.vfio4j;
  exports io.github.vfio4j.diagnosis;
  exports io.github.vfio4j.smmuv3;
  exports io.github.vfio4j.sysfs;
}
