/** Measures the library next to C programs that do the same. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.bench {
  requires static org.jspecify;
  requires io.github.vfio4j.bindings;
  requires io.github.vfio4j.core;
  requires io.github.vfio4j.model;
  requires io.github.vfio4j.nvme;
  requires io.github.vfio4j.vmm;
  requires java.management;
  requires jdk.management;
}
