package io.github.vfio4j.kerneltests;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.Sriov;
import io.github.vfio4j.sysfs.Sysfs;

/** A virtual function of a physical one that is bound to vfio-pci; it goes when this is closed. */
public record VirtualFunction(Sriov sriov, PciDevice device) implements AutoCloseable {
  public static VirtualFunction of(PciAddress physical) throws VfioException {
    Sysfs sysfs = Sysfs.host();
    Sriov sriov = Sriov.of(sysfs, sysfs.device(physical)).orElseThrow();
    return new VirtualFunction(sriov, sriov.create(1).getFirst());
  }

  PciDevice physical() {
    return sriov.physical();
  }

  @Override
  public void close() throws VfioException {
    sriov.destroy();
  }
}
