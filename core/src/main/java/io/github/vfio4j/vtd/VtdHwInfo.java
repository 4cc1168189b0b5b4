package io.github.vfio4j.vtd;

import io.github.vfio4j.bindings.iommu_hw_info_vtd;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwData;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What Intel's VT-d can do, as its registers say. What the kernel uses of it may be less.
 *
 * @param flags the {@code IOMMU_HW_INFO_VTD_} bits
 * @param capability the capability register
 * @param extendedCapability the extended capability register
 */
public record VtdHwInfo(int flags, long capability, long extendedCapability) {
  /**
   * Reads the description, where it is of this kind.
   *
   * @param data what the kernel has said
   * @return the description; empty where it is of another kind of IOMMU, or cut short
   */
  public static Optional<VtdHwInfo> of(HwData data) {
    return data.structure(iommufd_h.IOMMU_HW_INFO_TYPE_INTEL_VTD, iommu_hw_info_vtd.SIZEOF)
        .map(VtdHwInfo::read);
  }

  private static VtdHwInfo read(MemorySegment data) {
    return new VtdHwInfo(
        iommu_hw_info_vtd.flags(data),
        iommu_hw_info_vtd.cap_reg(data),
        iommu_hw_info_vtd.ecap_reg(data));
  }

  /**
   * Returns how wide the addresses are that devices use.
   *
   * @return bits
   */
  public int addressBits() {
    return (int) (capability >>> 16 & 0x3f) + 1;
  }

  /**
   * Returns whether the IOMMU has the tables that PASIDs and nesting need.
   *
   * @return whether it has the scalable mode
   */
  public boolean scalableMode() {
    return extended(43);
  }

  /**
   * Returns whether the IOMMU walks page tables of the processor's format.
   *
   * @return whether it translates by the first stage
   */
  public boolean firstStage() {
    return extended(47);
  }

  /**
   * Returns whether the IOMMU walks page tables of its own format in scalable mode.
   *
   * @return whether it translates by the second stage
   */
  public boolean secondStage() {
    return extended(46);
  }

  /**
   * Returns whether the IOMMU walks a guest's page table on top of another.
   *
   * @return whether page tables can be nested
   */
  public boolean nesting() {
    return extended(26);
  }

  /**
   * Returns whether the IOMMU notes which pages devices write.
   *
   * @return whether the second stage has dirty bits
   */
  public boolean dirtyBits() {
    return extended(45);
  }

  /**
   * Returns whether the IOMMU passes page requests of devices on.
   *
   * @return whether it has page requests
   */
  public boolean pageRequests() {
    return extended(29);
  }

  /**
   * Returns whether the IOMMU tells address spaces of one device apart.
   *
   * @return whether it has PASIDs
   */
  public boolean pasids() {
    return extended(40);
  }

  /**
   * Returns whether read-only mappings must be kept out of parents of nesting on this hardware.
   *
   * @return whether it has the erratum
   */
  public boolean noReadOnlyParent() {
    return (flags & iommufd_h.IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17) != 0;
  }

  private boolean extended(int bit) {
    return (extendedCapability >>> bit & 1) != 0;
  }
}
