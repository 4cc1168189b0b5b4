package io.github.vfio4j.kerneltests.mock;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptNested;
import io.github.vfio4j.iommufd.Viommu;
import io.github.vfio4j.mock.MockData;
import io.github.vfio4j.mock.MockDevice;

/** What a virtual machine with one device has of the IOMMU. */
record VirtualMachine(MockSpace space, Viommu viommu) implements AutoCloseable {
  private static final int CACHED = 0xbadbeef;

  static VirtualMachine start() throws VfioException {
    MockSpace space = MockSpace.open(1);
    try {
      return new VirtualMachine(
          space,
          space
              .ioas()
              .allocateHwpt(space.device(), HwptFlag.NEST_PARENT)
              .allocateViommu(space.device(), MockData.VIOMMU));
    } catch (VfioException | RuntimeException e) {
      space.close();
      throw e;
    }
  }

  MockDevice device() {
    return space.device();
  }

  /** A page table of the guest. */
  HwptNested nested() throws VfioException {
    return viommu.allocateNested(device(), MockData.nested(CACHED));
  }

  @Override
  public void close() throws VfioException {
    space.close();
  }
}
