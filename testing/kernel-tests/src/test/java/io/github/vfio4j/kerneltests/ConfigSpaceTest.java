package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.ConfigSpace.Capability;
import io.github.vfio4j.ConfigSpace.CapabilityId;
import io.github.vfio4j.ConfigSpace.ExtendedCapabilityId;
import io.github.vfio4j.DmaBuffer;
import io.github.vfio4j.Interrupt;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.time.Duration;

/** The configuration space of real devices, and what their reset does to it. */
@OnMachine({"intel/legacy", "intel/scalable", "smmuv3"}) // the IOMMU does not matter
@Bound({Device.EDU, Device.NVME, Device.IGB})
class ConfigSpaceTest {
  private static final int MSI = 0x05;
  private static final int CONTROLLER_CONFIGURATION = 0x14;
  private static final int ENTRY_SIZES = 0x00460000;

  @EachBackend
  void conventionalDeviceShowsItsCapabilities(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      ConfigSpace config = device.pci().config();

      assertThat(config.vendorId()).isEqualTo(0x1234);
      assertThat(config.deviceId()).isEqualTo(0x11e8);
      assertThat(config.capabilities()).extracting(Capability::id).containsExactly(MSI);
      assertThat(config.extendedCapabilities()).isEmpty();
    }
  }

  @EachBackend
  void expressDevicesShowTheirExtendedCapabilities(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(nvme.pci().config().find(CapabilityId.MSIX)).isPresent();
      assertThat(nvme.pci().config().find(CapabilityId.PCI_EXPRESS)).isPresent();
      for (Capability capability : nvme.pci().config().capabilities()) {
        assertThat(nvme.region(7).readByte(capability.offset())).isEqualTo((byte) capability.id());
      }
    }
    try (VfioDevice igb = VfioDevice.open(Machine.IGB, backend)) {
      assertThat(igb.pci().config().vendorId()).isEqualTo(0x8086);
      assertThat(igb.pci().config().find(ExtendedCapabilityId.AER))
          .contains(new Capability(0x0001, 0x100));
      assertThat(igb.pci().config().find(ExtendedCapabilityId.SRIOV)).isPresent();
      for (Capability capability : igb.pci().config().extendedCapabilities()) {
        assertThat(igb.region(7).readShort(capability.offset())).isEqualTo((short) capability.id());
      }
    }
  }

  @EachBackend
  void busMasteringIsOffUntilItIsAskedFor(Backend backend) throws IOException {
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(device.pci().config().isBusMaster()).isFalse();
      device.pci().config().setBusMaster(true);
      assertThat(device.pci().config().isBusMaster()).isTrue();
    }
    try (VfioDevice device = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(device.pci().config().isBusMaster()).isFalse();
    }
  }

  @EachBackend
  void resetPutsTheRegistersBack(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(nvme.info().resettable()).isTrue();
      nvme.region(0).writeInt(CONTROLLER_CONFIGURATION, ENTRY_SIZES);
      assertThat(nvme.region(0).readInt(CONTROLLER_CONFIGURATION)).isEqualTo(ENTRY_SIZES);

      nvme.reset();

      assertThat(nvme.region(0).readInt(CONTROLLER_CONFIGURATION)).isZero();
    }
  }

  @EachBackend
  void resetLeavesBusMasteringAndInterruptsAsTheyAre(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      nvme.reset();
      assertThat(nvme.pci().config().isBusMaster()).isFalse();

      try (DmaBuffer pages = nvme.addressSpace().allocate(NvmeAdmin.PAGES * EduDma.PAGE);
          Interrupt completed = nvme.pci().msix().enable(0)) {
        nvme.pci().config().setBusMaster(true);
        nvme.reset();

        assertThat(nvme.pci().config().isBusMaster()).isTrue();
        NvmeAdmin admin =
            new NvmeAdmin(
                nvme,
                pages.iova(),
                page -> pages.segment().asSlice((long) page * EduDma.PAGE, EduDma.PAGE));
        assertThat(admin.serialNumber()).isNotEmpty();
        assertThat(completed.await(Duration.ofSeconds(20))).isPositive();
      }
    }
  }

  @EachBackend
  void deviceWithoutAResetSaysSo(Backend backend) throws IOException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThat(edu.info().resettable()).isFalse();

      assertThatThrownBy(edu::reset)
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("VFIO_DEVICE_RESET on " + Machine.EDU)
          .hasMessageContaining("no reset of its own");
    }
  }
}
