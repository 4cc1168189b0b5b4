package io.github.vfio4j;

/**
 * What a guest says of its own page table, in the form of one kind of IOMMU: the input of a {@link
 * HwptNested}.
 */
public sealed interface HwptData
    permits VtdS1PageTable, ArmSmmuv3StreamTableEntry, AmdGuestDeviceTableEntry, RawHwptData {
  /**
   * Returns the kernel's number of this kind of data.
   *
   * @return one of the {@code IOMMU_HWPT_DATA_} numbers
   */
  int type();

  /**
   * Returns the data as the kernel reads it.
   *
   * @return a fresh array
   */
  byte[] bytes();
}
