package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.lab.Guest;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.vtd.VtdHwInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What the kernel tells of VT-d is what this machine was built with. */
@OnMachine(value = "intel", since = "6.6")
class VtdHwInfoTest extends EduTests {
  @Test
  void registersAreThoseOfTheMachine() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      HwInfo info = device.hwInfo();
      VtdHwInfo vtd = VtdHwInfo.of(info.data()).orElseThrow();
      Path registers = Path.of("/sys/class/iommu/dmar0/intel-iommu");

      assertThat(Long.toHexString(vtd.capability()))
          .isEqualTo(Files.readString(registers.resolve("cap")).strip());
      assertThat(Long.toHexString(vtd.extendedCapability()))
          .isEqualTo(Files.readString(registers.resolve("ecap")).strip());
      assertThat(vtd.addressBits()).isEqualTo(48);
      String variant = Guest.current().machine();
      assertThat(vtd.scalableMode()).isEqualTo(!variant.equals("intel/legacy"));
      assertThat(vtd.firstStage()).isEqualTo(variant.equals("intel/first-stage"));
      assertThat(info.dirtyTracking()).isFalse();
      assertThat(info.pasidExecute()).isFalse();
      assertThat(info.pasidPrivileged()).isFalse();
      assertThat(device.hwInfo()).isEqualTo(info);
    }
  }

  @Test
  @OnMachine(since = "7.0")
  void otherKindsOfHardwareAreRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);

      assertThat(HwInfo.of(device, iommufd_h.IOMMU_HW_INFO_TYPE_INTEL_VTD))
          .isEqualTo(device.hwInfo());
      assertThatThrownBy(() -> HwInfo.of(device, iommufd_h.IOMMU_HW_INFO_TYPE_ARM_SMMUV3))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("IOMMU_GET_HW_INFO on " + device + ": EOPNOTSUPP");
    }
  }

  @Test
  void closedDeviceIsNotAsked() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      device.close();

      assertThatIllegalStateException().isThrownBy(device::hwInfo);
    }
  }
}
