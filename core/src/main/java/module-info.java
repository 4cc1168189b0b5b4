/**
 * VFIO devices and IO address spaces, on both of the kernel's interfaces.
 *
 * @provides io.github.vfio4j.DeviceOpener
 */
@org.jspecify.annotations.NullMarked
@SuppressWarnings("module") // the module of the device models is built after it
module io.github.vfio4j.core {
  requires static transitive org.jspecify;
  requires io.github.vfio4j.bindings;
  requires io.github.vfio4j.linux;
  requires jdk.jfr;

  exports io.github.vfio4j;
  exports io.github.vfio4j.amd;
  exports io.github.vfio4j.config;
  exports io.github.vfio4j.container;
  exports io.github.vfio4j.diagnosis;
  exports io.github.vfio4j.dmabuf;
  exports io.github.vfio4j.event;
  exports io.github.vfio4j.feature;
  exports io.github.vfio4j.graphics;
  exports io.github.vfio4j.handover;
  exports io.github.vfio4j.iommufd;
  exports io.github.vfio4j.pci;
  exports io.github.vfio4j.migration;
  exports io.github.vfio4j.kvm;
  exports io.github.vfio4j.smmuv3;
  exports io.github.vfio4j.sysfs;
  exports io.github.vfio4j.vtd;
  exports io.github.vfio4j.channel to
      io.github.vfio4j.model;
  exports io.github.vfio4j.device to
      io.github.vfio4j.model,
      io.github.vfio4j.vmm;
  exports io.github.vfio4j.mapping to
      io.github.vfio4j.model;
  exports io.github.vfio4j.exec to
      io.github.vfio4j.cli;
  exports io.github.vfio4j.outcome to
      io.github.vfio4j.model,
      io.github.vfio4j.vmm;

  uses io.github.vfio4j.DeviceOpener;

  provides io.github.vfio4j.DeviceOpener with
      io.github.vfio4j.entry.HostOpener;
}
