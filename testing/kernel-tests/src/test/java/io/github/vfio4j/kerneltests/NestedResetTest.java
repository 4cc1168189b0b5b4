package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** A reset of a device leaves it in its guest. */
@OnMachine(value = "smmuv3", since = "6.15")
@Bound({Device.NVME, Device.NVME_2})
class NestedResetTest {
  private static final long INPUT = 0x12_3456_0000L;

  @Test
  void deviceIsInItsGuestAfterAResetAndAfterAttachingAgain() throws IOException {
    try (SmmuGuest guest = SmmuGuest.start(Machine.NVME)) {
      CdevDevice nvme = guest.device();
      CdevDevice neighbour = EduTests.device(Machine.NVME_2, guest.iommufd());
      HwptNested nested = guest.nested();
      guest.viommu().allocateVdevice(nvme, 1);
      assertThatThrownBy(() -> nvme.attach(nested))
          .hasMessageContaining("another one of its group, has no vDevice");
      guest.viommu().allocateVdevice(neighbour, 2);
      nvme.attach(nested);
      for (int page = 0; page < NvmeAdmin.PAGES; page++) {
        guest.tables().map(INPUT + (long) page * PAGE, SmmuGuest.pageAddress(page), PAGE);
      }
      NvmeAdmin admin = new NvmeAdmin(nvme, INPUT, guest::page);
      assertThat(admin.serialNumber()).isEqualTo("a");

      assertThat(admin.isReady()).isTrue();
      nvme.reset();
      assertThat(admin.isReady()).isFalse();
      assertThat(admin.serialNumber()).isEqualTo("a");

      nvme.detach();
      nvme.reset();
      nvme.attach(nested);
      assertThat(admin.serialNumber()).isEqualTo("a");
    }
  }
}
