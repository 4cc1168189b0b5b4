package io.github.vfio4j.kerneltests;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;

/** What tests of iommufd with the first edu, and perhaps the second, have in common. */
@Bound({Device.EDU, Device.EDU_2})
abstract class EduTests {
  static final long IOVA = 0x10000;

  static CdevDevice edu(Iommufd iommufd) throws VfioException {
    return device(Machine.EDU, iommufd);
  }

  static CdevDevice device(PciAddress address, Iommufd iommufd) throws VfioException {
    return iommufd.bind(Sysfs.host().device(address));
  }
}
