/** A driver for NVMe controllers. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.nvme {
  requires static transitive org.jspecify;
  requires transitive io.github.vfio4j.core;

  exports io.github.vfio4j.nvme;
}
