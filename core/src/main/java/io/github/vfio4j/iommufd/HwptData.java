package io.github.vfio4j.iommufd;

/**
 * What a guest says of its own page table, in the form of one kind of IOMMU: the input of a {@link
 * HwptNested}. The packages of the kinds have one each; {@link RawHwptData} takes any.
 */
public interface HwptData {
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
