package io.github.vfio4j.kerneltests;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;

/** Tries to drive a device that no IOMMU guards, and prints what came of it. */
final class UnguardedProcess {
  private UnguardedProcess() {}

  public static void main(String[] arguments) throws VfioException {
    try (Iommufd iommufd = Iommufd.open()) {
      try {
        iommufd.bindWithoutIommu(Sysfs.host().device(Machine.EDU));
      } catch (VfioException e) {
        System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
      try {
        iommufd.allocateIoas().physicalAddress(0, 1);
      } catch (VfioException e) {
        System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }
  }
}
