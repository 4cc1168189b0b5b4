package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static io.github.vfio4j.kerneltests.EduDma.PAGE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.edu.Edu;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.vtd.VtdHwInfo;
import io.github.vfio4j.vtd.VtdS1PageTable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Page tables that are asked for by name. */
@OnMachine(value = "intel", since = "6.6")
class VtdHwptTest extends EduTests {
  @Test
  void deviceTranslatesByThePageTable() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      MemorySegment sent = EduDma.page(arena, 1);
      MemorySegment received = EduDma.page(arena, 2);
      ioas.map(sent, IOVA, READ_WRITE);
      assertThat(device.hwptId()).isEmpty();
      HwptPaging hwpt = ioas.allocateHwpt(device);
      assertThat(LockedMemory.bytes()).isEqualTo(PAGE); // it is filled at once
      assertThat(hwpt.ioas()).isSameAs(ioas);
      assertThat(hwpt.flags()).isEmpty();
      assertThat(hwpt.iommufd()).isSameAs(iommufd);

      device.attach(hwpt);
      assertThat(device.attached()).containsSame(hwpt);
      assertThat(device.addressSpace()).isSameAs(ioas);
      assertThat(device.hwptId()).hasValue(hwpt.id());
      ioas.map(received, IOVA + PAGE, READ_WRITE);
      try (Edu edu = Edu.start(device)) {
        EduDma.move(edu, IOVA, IOVA + PAGE);
        assertThat(received.mismatch(sent)).isEqualTo(-1);

        received.fill((byte) 0);
        device.detach();
        assertThat(device.hwptId()).isEmpty();
        EduDma.fromDevice(edu, IOVA + PAGE);
        assertThat(received.mismatch(EduDma.pages(arena, 1))).isEqualTo(-1);
      }
      hwpt.close();
      hwpt.close();
    }
  }

  /** For an IOAS the kernel finds the page table that its other devices use, or makes one. */
  @Test
  void addressSpacesAndPageTablesReplaceEachOther() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas one = iommufd.allocateIoas();
      Ioas two = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      MemorySegment sent = EduDma.page(arena, 1);
      MemorySegment first = EduDma.page(arena, 2);
      MemorySegment second = EduDma.page(arena, 3);
      one.map(sent, IOVA, READ_WRITE);
      one.map(first, IOVA + PAGE, READ_WRITE);
      two.map(second, IOVA + PAGE, READ_WRITE);
      HwptPaging hwpt = two.allocateHwpt(device);
      device.attach(one);
      int automatic = device.hwptId().orElseThrow();
      assertThat(automatic).isNotEqualTo(hwpt.id());
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        device.attach(hwpt);
        assertThat(device.addressSpace()).isSameAs(two);
        EduDma.fromDevice(edu, IOVA + PAGE);
        assertThat(second.mismatch(sent)).isEqualTo(-1);
        assertThat(first.mismatch(EduDma.page(arena, 2))).isEqualTo(-1);

        device.attach(one);
        EduDma.fromDevice(edu, IOVA + PAGE);
        assertThat(first.mismatch(sent)).isEqualTo(-1);
        device.attach(one.allocateHwpt(device));
        first.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA + PAGE);
        assertThat(first.mismatch(sent)).isEqualTo(-1);
      }
    }
  }

  @Test
  void pageTableInUseCannotBeClosedAndStaysUsable() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      HwptPaging hwpt = ioas.allocateHwpt(device);
      device.attach(hwpt);
      MemorySegment memory = EduDma.page(arena, 1);
      ioas.map(memory, IOVA, READ_WRITE);

      assertThatThrownBy(hwpt::close)
          .isInstanceOf(DeviceBusyException.class)
          .hasMessageContaining("IOMMU_DESTROY on " + hwpt + ": EBUSY")
          .hasMessageContaining("detach or close that first");
      assertThatThrownBy(ioas::close).isInstanceOf(DeviceBusyException.class);
      try (Edu edu = Edu.start(device)) {
        EduDma.toDevice(edu, IOVA);
        memory.fill((byte) 0);
        EduDma.fromDevice(edu, IOVA);
      }
      assertThat(memory.mismatch(EduDma.page(arena, 1))).isEqualTo(-1);

      device.detach();
      hwpt.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> device.attach(hwpt))
          .withMessageContaining(hwpt + " is closed");
      assertThatIllegalStateException().isThrownBy(() -> hwpt.setDirtyTracking(true));
      device.attach(ioas);
    }
  }

  @Test
  void addressSpaceClosesItsPageTablesFirst() throws IOException {
    try (Arena arena = Arena.ofConfined();
        Iommufd iommufd = Iommufd.open()) {
      Ioas ioas = iommufd.allocateIoas();
      CdevDevice device = edu(iommufd);
      ioas.map(EduDma.pages(arena, 2), IOVA, READ_WRITE);
      HwptPaging one = ioas.allocateHwpt(device);
      HwptPaging two = ioas.allocateHwpt(device);
      assertThat(one.id()).isNotEqualTo(two.id());
      assertThat(LockedMemory.bytes()).isEqualTo(2 * PAGE);

      ioas.close();

      assertThat(LockedMemory.bytes()).isZero();
      one.close();
      assertThatIllegalStateException().isThrownBy(() -> device.attach(two));
      assertThatIllegalStateException().isThrownBy(() -> ioas.allocateHwpt(device));
    }
  }

  @Test
  void objectsOfAnotherIommufdAreRefused() throws IOException {
    try (Iommufd iommufd = Iommufd.open();
        Iommufd other = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      CdevDevice stranger = device(Machine.EDU_2, other);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device);

      assertThatIllegalArgumentException()
          .isThrownBy(() -> ioas.allocateHwpt(stranger))
          .withMessageContaining("bound to another iommufd");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> stranger.attach(hwpt))
          .withMessageContaining("belongs to another iommufd");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> hwpt.allocateViommu(stranger, Viommu.ARM_SMMUV3));
    }
  }

  @Test
  @OnMachine(since = "6.8")
  void whatThisIommuHasNotIsRefusedByName() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      HwptPaging hwpt = ioas.allocateHwpt(device);
      VtdHwInfo vtd = VtdHwInfo.of(device.hwInfo().data()).orElseThrow();
      assertThat(vtd.nesting()).isFalse();
      assertThat(vtd.dirtyBits()).isFalse();

      for (HwptFlag flag : List.of(HwptFlag.NEST_PARENT, HwptFlag.DIRTY_TRACKING)) {
        assertThatThrownBy(() -> ioas.allocateHwpt(device, flag))
            .isInstanceOf(UnsupportedByKernelException.class)
            .hasMessageContaining("IOMMU_HWPT_ALLOC on " + ioas + " for " + device)
            .hasMessageContaining(flag + " (Linux 6.7 was the first that had it)");
      }
      assertThatThrownBy(() -> hwpt.allocateNested(device, new VtdS1PageTable(0, 0, 48)))
          .isInstanceOfSatisfying(
              VfioException.class,
              e -> {
                assertThat(e.errno()).contains(Errno.EINVAL);
                assertThat(e).hasMessageContaining("made without NEST_PARENT");
              });
      assertThatThrownBy(() -> hwpt.setDirtyTracking(true))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("made without DIRTY_TRACKING");
      assertThatThrownBy(() -> hwpt.readAndClearDirty(new DirtyBitmap(IOVA, PAGE, PAGE)))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("made without DIRTY_TRACKING");
    }
  }

  @Test
  void pasidsAreRefusedWhereTheDeviceHasNone() throws IOException {
    try (Iommufd iommufd = Iommufd.open()) {
      CdevDevice device = edu(iommufd);
      Ioas ioas = iommufd.allocateIoas();
      assertThat(device.hwInfo().pasidBits()).isZero();

      assertThatThrownBy(() -> device.attach(ioas, 1))
          .isInstanceOf(UnsupportedByKernelException.class)
          .hasMessageContaining("VFIO_DEVICE_ATTACH_IOMMUFD_PT on " + device)
          .hasMessageContaining("has no PASIDs");
      assertThat(device.attached(1)).isEmpty();
      device.detach(1);
      ioas.close(); // nothing is attached to it
    }
  }
}
