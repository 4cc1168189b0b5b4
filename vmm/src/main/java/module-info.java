/** A small virtual machine monitor on KVM. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.vmm {
  requires static transitive org.jspecify;
  requires transitive io.github.vfio4j.core;
  requires io.github.vfio4j.bindings;
  requires io.github.vfio4j.linux;

  exports io.github.vfio4j.vmm;
}
