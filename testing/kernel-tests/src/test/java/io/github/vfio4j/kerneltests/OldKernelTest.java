package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ;
import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.handover.Handover;
import io.github.vfio4j.handover.HandoverSocket;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwInfo;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.MemoryFile;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What a kernel is too old for is refused with the version that it takes. */
class OldKernelTest {
  @Test
  @OnMachine(value = "intel", before = "6.2")
  void thereIsNoIommufd() {
    assertThatThrownBy(Iommufd::open)
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("open on /dev/iommu: ENOENT")
        .hasMessageContaining("Linux 6.2 with CONFIG_IOMMUFD has it");
    assertThatThrownBy(() -> Iommufd.ofFd(0))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("this kernel has no iommufd");
  }

  @Test
  @OnMachine(value = "intel", since = "6.6", before = "6.13")
  @Bound(Device.EDU)
  void laterCallsOfIommufdAreRefused() throws IOException {
    try (Arena arena = Arena.ofConfined();
        MemoryFile file = MemoryFile.create("test", PAGE);
        Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = EduTests.edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device);
      device.attach(ioas);

      assertSince("6.13", "IOMMU_IOAS_MAP_FILE", () -> ioas.mapFile(file, 0, PAGE, READ));
      assertSince("6.13", "IOMMU_IOAS_MAP_FILE", () -> ioas.mapFile(file, 0, 0x10000, PAGE, READ));
      assertSince("6.13", "IOMMU_IOAS_CHANGE_PROCESS", iommufd::changeProcess);
      assertSince(
          "6.13", "IOMMU_VIOMMU_ALLOC", () -> hwpt.allocateViommu(device, Viommu.ARM_SMMUV3));
      assertSince("7.3", "IOMMU_IOAS_NOIOMMU_GET_PA", () -> ioas.physicalAddress(0x10000, PAGE));
      assertThatThrownBy(() -> ioas.allocateHwpt(device, HwptFlag.PASID))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("PASID (Linux 6.15 was the first that had it)");
      assertThatThrownBy(() -> device.attach(ioas, 1))
          .isInstanceOf(UnsupportedByKernelException.class);
      assertThatThrownBy(() -> HwInfo.of(device, iommufd_h.IOMMU_HW_INFO_TYPE_INTEL_VTD))
          .isInstanceOf(UnsupportedByKernelException.class);

      MemorySegment memory = EduDma.pages(arena, 1);
      ioas.map(memory, 0x10000, READ_WRITE); // the refused mapping has left nothing there
      assertThat(LockedMemory.bytes()).isEqualTo(PAGE);
    }
  }

  @Test
  @OnMachine(value = "intel", since = "6.6", before = "6.13")
  void runningDevicesAreNotHandedOver() throws IOException {
    List<HandoverSocket> pair = HandoverSocket.pair();
    try (HandoverSocket socket = pair.getFirst();
        HandoverSocket other = pair.getLast();
        Iommufd iommufd = Iommufd.open()) {
      assertSince(
          "6.13",
          "IOMMU_IOAS_CHANGE_PROCESS",
          () -> Handover.send(socket, iommufd, List.of(), new byte[0], Duration.ZERO));
      assertThat(other.receive(1, 0, Duration.ZERO)).isEmpty();
    }
  }

  private static void assertSince(String version, String operation, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageStartingWith(operation + " on ")
        .hasMessageContaining("Linux " + version + " was the first that had it");
  }
}
