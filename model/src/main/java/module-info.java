/**
 * PCI devices written in Java, and a host in this process that opens them like any other device.
 */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.model {
  requires static transitive org.jspecify;
  requires transitive io.github.vfio4j.core;
  requires io.github.vfio4j.bindings;
  requires io.github.vfio4j.linux;

  exports io.github.vfio4j.model;
  exports io.github.vfio4j.model.edu;
  exports io.github.vfio4j.model.nvme;
}
