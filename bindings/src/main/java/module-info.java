/** The kernel's VFIO, iommufd and KVM interface as Java: layouts, constants and ioctl numbers. */
@org.jspecify.annotations.NullMarked
module io.github.vfio4j.bindings {
  requires static transitive org.jspecify;

  exports io.github.vfio4j.bindings;
  exports io.github.vfio4j.bindings.arm64;
  exports io.github.vfio4j.bindings.x86;
}
