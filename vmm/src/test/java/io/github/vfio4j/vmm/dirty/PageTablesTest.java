package io.github.vfio4j.vmm.dirty;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.iommu_hw_info;
import io.github.vfio4j.bindings.iommu_hwpt_get_dirty_bitmap;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.UnboundDevices;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.vmm.kvm.FakeVms;
import io.github.vfio4j.vmm.kvm.Vm;
import io.github.vfio4j.vmm.memory.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PageTablesTest {
  @TempDir Path root;
  private FakeMachine host;
  private Iommufd iommufd;
  private Ioas space;
  private PageTables tables;
  private CdevDevice device;

  @BeforeEach
  void bind() throws VfioException {
    host = new FakeMachine(root);
    iommufd = Iommufd.open(host.host);
    space = iommufd.allocateIoas();
    tables = new PageTables(space);
    device = iommufd.bind(UnboundDevices.open(host.host, host.device()));
    host.kernel.tamper(PageTablesTest::haveDirtyBits);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    iommufd.close();
    assertThat(host.kernel.leftOpen()).isEmpty();
  }

  /** An IOMMU with dirty bits, of which the first one is set. */
  @SuppressWarnings("restricted") // the request names room for the bits
  private static void haveDirtyBits(Ioctl operation, MemorySegment reply) {
    if (operation == Ioctl.IOMMU_GET_HW_INFO) {
      iommu_hw_info.out_capabilities(reply, iommufd_h.IOMMU_HW_CAP_DIRTY_TRACKING);
    } else if (operation == Ioctl.IOMMU_HWPT_GET_DIRTY_BITMAP) {
      MemorySegment bits =
          MemorySegment.ofAddress(iommu_hwpt_get_dirty_bitmap.data(reply)).reinterpret(1);
      bits.set(JAVA_BYTE, 0, (byte) (bits.get(JAVA_BYTE, 0) | 1));
    }
  }

  @Test
  void deviceIsAttachedToATableWithDirtyBits() throws VfioException {
    tables.attach(device);

    HwptPaging table = (HwptPaging) device.attached().orElseThrow();
    assertThat(table.flags()).containsExactly(HwptFlag.DIRTY_TRACKING);
    assertThat(device.addressSpace()).isEqualTo(space);

    tables.closeUnused();
    assertThat(host.kernel.has(table.id())).isTrue();
    device.detach();
    tables.attach(device);
    assertThat(device.attached()).contains(table);
    device.close();
    tables.closeUnused();
    tables.closeUnused();
    assertThat(host.kernel.log().stream().filter("IOMMU_HWPT_ALLOC"::equals)).hasSize(1);
    assertThat(host.kernel.log().getLast()).isEqualTo("IOMMU_DESTROY");
  }

  @Test
  void deviceIsAttachedToTheAddressSpaceWhereThereAreNone() throws VfioException {
    host.kernel.fail(Ioctl.IOMMU_HWPT_ALLOC, Errno.EOPNOTSUPP);
    tables.attach(device);
    assertThat(device.attached()).contains(space);

    device.detach();
    host.kernel.fail(Ioctl.IOMMU_GET_HW_INFO, Errno.ENOENT);
    tables.attach(device);
    assertThat(device.attached()).contains(space);

    device.detach();
    host.kernel.failNoMore();
    host.kernel.tamper((operation, reply) -> {});
    tables.attach(device);
    assertThat(device.attached()).contains(space);
  }

  @Test
  void tableTellsWhatItsDevicesHaveWritten() throws VfioException {
    try (Vm vm = FakeVms.open(host);
        GuestMemory memory = new GuestMemory()) {
      memory.add(vm.slots(), 0, 100 * GuestMemory.PAGE);
      memory.share(space);
      tables.attach(device);
      WrittenPages written = new WrittenPages(memory);
      written.start(List.of(device));
      host.slots.write(GuestMemory.PAGE);

      DirtyBitmap pages = written.readAndClear().getFirst();
      assertThat(pages.count()).isEqualTo(2);
      assertThat(pages.isDirty(0)).isTrue();
      assertThat(written.readAndClear().getFirst().count()).isEqualTo(1);

      device.close();
      written.gone(device);
      assertThat(written.readAndClear().getFirst().count()).isEqualTo(100);
      assertThat(written.readAndClear().getFirst().count()).isZero();
      assertThat(
              host.kernel.log().stream().filter(Ioctl.IOMMU_HWPT_SET_DIRTY_TRACKING.name()::equals))
          .hasSize(2);
      memory.forget(space);
      written.stop();
    }
  }
}
