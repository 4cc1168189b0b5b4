package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.Backend;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.PciFunction.IrqKind;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.config.AerCapability;
import io.github.vfio4j.config.BaseAddress;
import io.github.vfio4j.config.ConfigHeader;
import io.github.vfio4j.config.ConfigImage;
import io.github.vfio4j.config.MsiCapability;
import io.github.vfio4j.config.MsixCapability;
import io.github.vfio4j.config.PciCapability;
import io.github.vfio4j.config.PciExpressCapability;
import io.github.vfio4j.config.PowerManagementCapability;
import io.github.vfio4j.config.SriovCapability;
import io.github.vfio4j.config.VitalProductData;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.sysfs.PciDevice;
import io.github.vfio4j.sysfs.PciResource;
import io.github.vfio4j.sysfs.Sysfs;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told of configuration spaces is what the kernel says of the same devices. */
@OnMachine({"intel/legacy", "smmuv3"}) // the IOMMU does not matter
@Bound({Device.EDU, Device.NVME, Device.IGB, Device.IVSHMEM})
class ConfigImageTest {
  private static final List<PciAddress> DEVICES =
      List.of(Machine.EDU, Machine.NVME, Machine.IGB, Machine.IVSHMEM);

  private static PciDevice inSysfs(PciAddress address) throws VfioException {
    return Sysfs.host().device(address);
  }

  private static String attribute(PciAddress address, String name) throws IOException {
    return Files.readString(inSysfs(address).path().resolve(name)).strip();
  }

  @EachBackend
  void theHeaderIsWhatTheKernelSays(Backend backend) throws IOException {
    for (PciAddress address : DEVICES) {
      PciDevice known = inSysfs(address);
      try (VfioDevice device = VfioDevice.open(address, backend)) {
        ConfigHeader header = ConfigImage.of(device).header();

        assertThat(header.vendorId()).isEqualTo(known.vendorId());
        assertThat(header.deviceId()).isEqualTo(known.deviceId());
        assertThat(header.classCode()).isEqualTo(known.classCode());
        assertThat(header.revision()).isEqualTo(known.revision());
        assertThat(header.subsystemVendorId()).isEqualTo(known.subsystemVendorId());
        assertThat(header.subsystemId()).isEqualTo(known.subsystemId());
        assertThat(header.interruptPin() != 0)
            .isEqualTo(device.pci().irq(IrqKind.INTX).count() == 1);
      }
    }
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend)) {
      assertThat(ConfigImage.of(nvme).header().multiFunction()).isTrue();
    }
  }

  @EachBackend
  void baseAddressesHaveTheKernelsSizesAndKinds(Backend backend) throws IOException {
    for (PciAddress address : DEVICES) {
      PciDevice known = inSysfs(address);
      List<PciResource> resources = known.resources();
      try (VfioDevice device = VfioDevice.open(address, backend)) {
        for (ConfigImage image : List.of(ConfigImage.of(device), ConfigImage.of(known))) {
          int sizes = 0;
          for (BaseAddress bar : image.header().baseAddresses()) {
            PciResource resource = resources.get(bar.number());
            assertThat(bar.size()).hasValue(resource.size());
            assertThat(bar.address()).isEqualTo(resource.first());
            assertThat(bar.prefetchable()).isEqualTo(resource.isPrefetchable());
            assertThat(bar.kind() == BaseAddress.Kind.IO).isEqualTo(resource.isIo());
            assertThat(bar.kind() == BaseAddress.Kind.MEMORY_64).isEqualTo(resource.is64Bit());
            sizes++;
          }
          assertThat(sizes)
              .isEqualTo(
                  (int) resources.subList(0, 6).stream().filter(each -> each.size() > 0).count());
        }
      }
    }
  }

  @EachBackend
  void capabilitiesSayWhatTheKernelSays(Backend backend) throws IOException {
    try (VfioDevice nvme = VfioDevice.open(Machine.NVME, backend);
        VfioDevice igb = VfioDevice.open(Machine.IGB, backend);
        VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      MsiCapability msi = ConfigImage.of(edu).find(MsiCapability.class).orElseThrow();
      assertThat(msi.vectors()).isEqualTo(edu.pci().msi().count());
      assertThat(msi.enabled()).isFalse();

      ConfigImage image = ConfigImage.of(nvme);
      MsixCapability msix = image.find(MsixCapability.class).orElseThrow();
      assertThat(msix.vectors()).isEqualTo(nvme.pci().msix().count());
      assertThat(msix.enabled()).isFalse();
      assertThat(msix.tableOffset() + msix.vectors() * 16L)
          .isLessThanOrEqualTo(nvme.pci().bar(msix.tableBar()).size());
      try (var _ = nvme.pci().msix().enable(0)) {
        assertThat(ConfigImage.of(inSysfs(Machine.NVME)).find(MsixCapability.class))
            .map(MsixCapability::enabled)
            .contains(true);
      }
      PciExpressCapability express = image.find(PciExpressCapability.class).orElseThrow();
      assertThat(express.functionReset())
          .isEqualTo(inSysfs(Machine.NVME).resetMethods().contains("flr"));
      PciExpressCapability.Link link = express.link().orElseThrow();
      assertThat(attribute(Machine.NVME, "max_link_width")).isEqualTo("" + link.largestWidth());
      assertThat(attribute(Machine.NVME, "current_link_width")).isEqualTo("" + link.width());
      assertThat(attribute(Machine.NVME, "max_link_speed"))
          .startsWith(List.of("", "2.5", "5.0", "8.0", "16.0", "32.0").get(link.largestSpeed()));
      assertThat(attribute(Machine.NVME, "power_state"))
          .isEqualTo("D" + image.find(PowerManagementCapability.class).orElseThrow().state());

      image = ConfigImage.of(igb);
      SriovCapability sriov = image.find(SriovCapability.class).orElseThrow();
      assertThat(attribute(Machine.IGB, "sriov_totalvfs")).isEqualTo("" + sriov.totalFunctions());
      assertThat(attribute(Machine.IGB, "sriov_offset")).isEqualTo("" + sriov.firstOffset());
      assertThat(attribute(Machine.IGB, "sriov_stride")).isEqualTo("" + sriov.stride());
      assertThat(attribute(Machine.IGB, "sriov_vf_device"))
          .isEqualTo("%x".formatted(sriov.functionDeviceId()));
      assertThat(sriov.enabled()).isFalse();
      assertThat(image.find(AerCapability.class).orElseThrow().uncorrectable()).isEmpty();
      assertThat(VitalProductData.read(igb.pci().config())).isEmpty();
    }
  }

  /** VFIO hides some and shows some of its own making; those of both are the same. */
  @EachBackend
  void vfioShowsWhatSysfsHas(Backend backend) throws IOException {
    for (PciAddress address : DEVICES) {
      try (VfioDevice device = VfioDevice.open(address, backend)) {
        List<Integer> real =
            ConfigImage.of(inSysfs(address)).capabilities().stream()
                .map(PciCapability::offset)
                .toList();
        assertThat(real)
            .containsAll(
                ConfigImage.of(device).capabilities().stream().map(PciCapability::offset).toList());
      }
    }
  }

  @Test
  void aVirtualFunctionHasItsBaseAddressesFromTheKernel() throws IOException {
    try (VirtualFunction function = VirtualFunction.of(Machine.IGB)) {
      ConfigHeader header = ConfigImage.of(function.device()).header();

      assertThat(header.vendorId()).isEqualTo(0xffff);
      assertThat(header.baseAddresses())
          .isNotEmpty()
          .allSatisfy(
              bar -> {
                assertThat(bar.size().orElseThrow()).isPositive();
                assertThat(bar.kind()).isEqualTo(BaseAddress.Kind.MEMORY_64);
              });
      assertThat(ConfigImage.of(inSysfs(Machine.IGB)).find(SriovCapability.class))
          .map(SriovCapability::functions)
          .contains(1);
    }
  }
}
