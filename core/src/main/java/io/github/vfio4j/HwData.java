package io.github.vfio4j;

/** What is particular to one kind of IOMMU, part of {@link HwInfo}. */
public sealed interface HwData
    permits VtdHwInfo, ArmSmmuv3HwInfo, Tegra241CmdqvHwInfo, AmdHwInfo, RawHwInfo {
  /**
   * Returns the kernel's number of this kind of IOMMU.
   *
   * @return one of the {@code IOMMU_HW_INFO_TYPE_} numbers; 0 where the driver says nothing
   */
  int type();
}
