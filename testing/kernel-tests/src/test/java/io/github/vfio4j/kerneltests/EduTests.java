package io.github.vfio4j.kerneltests;

import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** What tests of iommufd with the first edu, and perhaps the second, have in common. */
abstract class EduTests {
  static final long IOVA = 0x10000;

  private static Bindings bindings;

  @BeforeAll
  static void bind() throws IOException {
    bindings = Bindings.of(Machine.EDU, Machine.EDU_2);
  }

  @AfterAll
  static void unbind() throws IOException {
    bindings.close();
  }

  static CdevDevice edu(Iommufd iommufd) throws VfioException {
    return device(Machine.EDU, iommufd);
  }

  static CdevDevice device(PciAddress address, Iommufd iommufd) throws VfioException {
    return iommufd.bind(Sysfs.host().device(address));
  }
}
