/** A small virtual machine monitor on KVM. */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("module") // the benchmarks' module is built after it
module io.github.vfio4j.vmm {
  requires static transitive org.jspecify;
  requires transitive io.github.vfio4j.core;
  requires io.github.vfio4j.bindings;
  requires io.github.vfio4j.linux;

  exports io.github.vfio4j.vmm;
  exports io.github.vfio4j.vmm.bus to
      io.github.vfio4j.bench;
  exports io.github.vfio4j.vmm.kvm to
      io.github.vfio4j.bench;
}
