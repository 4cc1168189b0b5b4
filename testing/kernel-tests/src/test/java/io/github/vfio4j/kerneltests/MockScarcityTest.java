package io.github.vfio4j.kerneltests;

import static io.github.vfio4j.DmaAccess.READ_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.BoundDevice;
import io.github.vfio4j.iommufd.HwQueue;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.iommufd.Iommufd;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.linux.Kernel;
import io.github.vfio4j.mock.Mock;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whichever allocation of the kernel fails, what only the mock IOMMU has works or says so too. */
@OnMachine(value = "bare", since = "7.0")
class MockScarcityTest {
  private static final long IOVA = Mock.APERTURE_FIRST;
  private static final int PAGE = EduDma.PAGE;

  @BeforeAll
  static void letAllocationsFail() throws IOException {
    ScarceKernel.prepare();
  }

  /** A mock device as an iommufd sees that was opened on another kernel. */
  private record Seen(int id, Iommufd iommufd) implements BoundDevice {}

  private interface Use {
    void run(BoundDevice device, Ioas ioas) throws VfioException;
  }

  /** Makes what a use needs, runs it, and closes all. The mock's own calls do not fail. */
  private static void with(Kernel kernel, Use use) throws VfioException {
    try (Mock mock = Mock.open();
        Iommufd iommufd = OnKernel.iommufd(kernel, mock.descriptor())) {
      Ioas ioas = iommufd.allocateIoas();
      try (MockDevice device = MockDevice.attach(mock, ioas.id(), MockDevice.PLAIN)) {
        use.run(new Seen(device.id(), iommufd), ioas);
      }
    }
  }

  private static HwptPaging parent(BoundDevice device, Ioas ioas) throws VfioException {
    return ioas.allocateHwpt(device, HwptFlag.NEST_PARENT);
  }

  @Test
  void virtualIommusAndWhatTheyHave() throws IOException {
    Scarcity.sweep(
        kernel ->
            with(
                kernel,
                (device, ioas) -> {
                  Viommu viommu = parent(device, ioas).allocateViommu(device, MockData.VIOMMU);
                  viommu.allocateVdevice(device, 7);
                  viommu.allocateVeventQueue(MockData.EVENTS, 2, MockData.EVENT_SIZE);
                  HwptNested nested =
                      viommu.allocateNested(
                          device, MockData.nested(1), device.iommufd().allocateFaultQueue());
                  assertThat(nested.parent()).isSameAs(viommu.parent());
                }));
  }

  @Test
  void nestedPageTables() throws IOException {
    Scarcity.sweep(
        kernel ->
            with(
                kernel,
                (device, ioas) -> {
                  HwptPaging parent = parent(device, ioas);
                  HwptNested nested = parent.allocateNested(device, MockData.nested(1));
                  nested.invalidate(MockData.ofNested(MockData.ALL, 0));
                }));
  }

  @Test
  void queuesOfTheHardware() throws IOException {
    Scarcity.sweep(
        kernel ->
            with(
                kernel,
                (device, ioas) -> {
                  ioas.map(EduDma.pages(Arena.ofAuto(), 1), IOVA, READ_WRITE);
                  Viommu viommu =
                      parent(device, ioas)
                          .allocateViommu(device, MockData.VIOMMU, MockData.viommu(1));
                  HwQueue queue = viommu.allocateHwQueue(MockData.HW_QUEUE, 0, IOVA, PAGE);
                  assertThat(queue.index()).isZero();
                }));
  }

  @Test
  void dirtyBits() throws IOException {
    Scarcity.sweep(
        kernel ->
            with(
                kernel,
                (device, ioas) -> {
                  ioas.map(EduDma.pages(Arena.ofAuto(), 4), IOVA, READ_WRITE);
                  HwptPaging hwpt = ioas.allocateHwpt(device, HwptFlag.DIRTY_TRACKING);
                  hwpt.setDirtyTracking(true);
                  hwpt.readAndClearDirty(new DirtyBitmap(IOVA, 4 * PAGE, PAGE));
                }));
  }
}
