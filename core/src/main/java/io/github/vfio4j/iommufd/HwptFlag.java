package io.github.vfio4j.iommufd;

import io.github.vfio4j.bindings.iommufd_h;

/** What a hardware page table shall be able to do, asked for when it is made. */
public enum HwptFlag {
  /** Page tables of a guest can be nested on it. Linux 6.7 was the first that had it. */
  NEST_PARENT(iommufd_h.IOMMU_HWPT_ALLOC_NEST_PARENT, "6.7"),

  /**
   * Its dirty bits can be read, and only devices whose IOMMU has them can be attached. Linux 6.7
   * was the first that had it.
   */
  DIRTY_TRACKING(iommufd_h.IOMMU_HWPT_ALLOC_DIRTY_TRACKING, "6.7"),

  /**
   * It can be attached to a PASID, and to a device that has others attached to PASIDs. Linux 6.15
   * was the first that had it.
   */
  PASID(iommufd_h.IOMMU_HWPT_ALLOC_PASID, "6.15");

  private final int bit;
  private final String since;

  HwptFlag(int bit, String since) {
    this.bit = bit;
    this.since = since;
  }

  int bit() {
    return bit;
  }

  /** Returns the first kernel that has it. */
  String since() {
    return since;
  }
}
