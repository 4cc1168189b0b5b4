package io.github.vfio4j.kerneltests.mock;

import static io.github.vfio4j.kerneltests.RefusalAssertions.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.Errno;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.FaultQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.PageFault;
import io.github.vfio4j.iommufd.PageResponse;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** One device has many address spaces, each with a PASID. */
@OnMachine(value = "bare", since = "7.0")
class PasidTest {
  private static final int CACHED = 0xbadbeef;
  private static final int HIGHEST = (1 << MockDevice.PASID_BITS) - 1;

  private MockSpace space;
  private Ioas ioas;
  private MockDevice device;
  private HwptPaging parent;
  private HwptPaging paging;
  private HwptNested nested;

  @BeforeEach
  void makeTables() throws VfioException {
    space = MockSpace.open(0);
    ioas = space.ioas();
    device = MockDevice.attach(space.mock(), ioas, MockDevice.PASID);
    parent = ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
    paging = ioas.allocateHwpt(device, HwptFlag.PASID);
    nested = nested();
    device.replace(paging);
  }

  @AfterEach
  void end() throws VfioException {
    space.close();
  }

  private HwptNested nested() throws VfioException {
    return parent.allocateNested(device, MockData.nested(CACHED), null, HwptFlag.PASID);
  }

  @Test
  void attachesDetachesAndIsBusy() throws IOException {
    device.detachPasid(100); // nothing to detach
    device.attachPasid(100, paging);
    assertThat(device.isPasidAttached(100, paging)).isTrue();
    assertRefused(Errno.EBUSY, () -> device.attachPasid(100, nested));
    assertThat(device.isPasidAttached(100, paging)).isTrue();
    device.detachPasid(100);
    assertThat(device.isPasidDetached(100)).isTrue();
    assertThat(device.isPasidAttached(100, paging)).isFalse();

    device.attachPasid(100, nested);
    device.attachPasid(HIGHEST, nested);
    assertRefused(Errno.EBUSY, () -> device.attachPasid(100, nested));
    assertRefused(DeviceBusyException.class, Errno.EBUSY, nested::close);
    device.detachPasid(100);
    assertThat(device.isPasidAttached(HIGHEST, nested)).isTrue();
    assertRefused(DeviceBusyException.class, Errno.EBUSY, nested::close);
    device.detachPasid(HIGHEST);
    nested.close();
    assertRefused(Errno.EINVAL, () -> device.attachPasid(HIGHEST + 1, paging));
  }

  @Test
  void attachesOnlyWhatIsMadeForPasids() throws IOException {
    device.replace(parent);
    assertRefused(Errno.EINVAL, () -> device.attachPasid(100, paging));
    device.replace(paging);
    assertRefused(Errno.EINVAL, () -> device.attachPasid(100, parent));
    assertThat(device.isPasidDetached(100)).isTrue();
    assertRefused(Errno.EINVAL, () -> device.attachPasid(100, ioas));
    assertThat(device.isPasidDetached(100)).isTrue();

    device.attachPasid(100, nested);
    assertRefused(Errno.EINVAL, () -> device.replace(parent));
    assertThat(device.table()).isEqualTo(paging.id());
  }

  @Test
  void deviceWithoutPasidsTakesOnlyTheTables() throws IOException {
    MockDevice without = MockDevice.attach(space.mock(), ioas);

    without.replace(nested);
    without.replace(ioas);
    assertRefused(Errno.EINVAL, () -> without.attachPasid(100, parent));
    assertRefused(Errno.EINVAL, () -> without.attachPasid(100, paging));
    assertThat(without.isPasidDetached(100)).isTrue();
  }

  @Test
  void oneTableReplacesAnother() throws IOException {
    assertRefused(Errno.EINVAL, () -> device.replacePasid(200, paging));
    device.attachPasid(200, paging);
    assertRefused(Errno.EINVAL, () -> device.replacePasid(200, ioas));
    assertThat(device.isPasidAttached(200, paging)).isTrue();
    device.replacePasid(200, nested);
    assertThat(device.isPasidAttached(200, nested)).isTrue();
    HwptNested other = nested();
    device.replacePasid(200, other);
    assertThat(device.isPasidAttached(200, other)).isTrue();
    nested.close();
    Viommu viommu = parent.allocateViommu(device, MockData.VIOMMU);
    HwptNested onViommu =
        viommu.allocateNested(device, MockData.nested(CACHED), null, HwptFlag.PASID);
    assertThat(onViommu.parent()).isSameAs(parent);
  }

  @Test
  void tableStaysWhereItsReplacementFails() throws IOException {
    int pasid = MockDevice.PASID_OF_FAILURES;
    device.attachPasid(pasid, paging);

    assertRefused(Errno.ENOMEM, () -> device.replacePasid(pasid, nested));

    assertThat(device.isPasidAttached(pasid, paging)).isTrue();
  }

  @Test
  void faultNamesThePasid() throws IOException {
    FaultQueue faults = space.iommufd().allocateFaultQueue();
    HwptNested faulting =
        parent.allocateNested(device, MockData.nested(CACHED), faults, HwptFlag.PASID);
    device.attachPasid(2048, faulting);
    device.requestPage(2048, 7, 1, 0x5000);

    List<PageFault> arrived = faults.await(Duration.ofSeconds(60));

    assertThat(arrived).hasSize(1);
    PageFault fault = arrived.getFirst();
    assertThat(fault.pasid()).hasValue(2048);
    assertThat(fault.group()).isEqualTo(7);
    assertThat(fault.deviceId()).isEqualTo(device.id());
    faults.respond(fault, PageResponse.SUCCESS);
    assertRefused(DeviceBusyException.class, Errno.EBUSY, faults::close);
    device.replacePasid(2048, paging);
    assertThat(device.isPasidAttached(2048, paging)).isTrue();
    device.detachPasid(2048);
    faults.close();
  }
}
