package io.github.vfio4j.amd;

import io.github.vfio4j.bindings.iommu_hw_info_amd;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwData;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * What AMD's IOMMU can do, as its registers say. What the kernel uses of it may be less.
 *
 * @param extendedFeatures the extended feature register
 * @param extendedFeatures2 the extended feature 2 register
 */
public record AmdHwInfo(long extendedFeatures, long extendedFeatures2) {
  /**
   * Reads the description, where it is of this kind.
   *
   * @param data what the kernel has said
   * @return the description; empty where it is of another kind of IOMMU, or cut short
   */
  public static Optional<AmdHwInfo> of(HwData data) {
    return data.structure(iommufd_h.IOMMU_HW_INFO_TYPE_AMD, iommu_hw_info_amd.SIZEOF)
        .map(AmdHwInfo::read);
  }

  private static AmdHwInfo read(MemorySegment data) {
    return new AmdHwInfo(iommu_hw_info_amd.efr(data), iommu_hw_info_amd.efr2(data));
  }

  /**
   * Returns whether the IOMMU walks page tables of the processor's format, as guests have them.
   *
   * @return whether it has guest translation
   */
  public boolean guestTranslation() {
    return bit(4);
  }

  /**
   * Returns whether the IOMMU passes page requests of devices on.
   *
   * @return whether it has peripheral page requests
   */
  public boolean pageRequests() {
    return bit(1);
  }

  /**
   * Returns whether the IOMMU notes which pages devices write.
   *
   * @return whether its page tables have dirty bits
   */
  public boolean dirtyBits() {
    return bit(52);
  }

  /**
   * Returns how wide PASIDs may be.
   *
   * @return bits; they mean something where there is {@linkplain #guestTranslation guest
   *     translation}
   */
  public int pasidBits() {
    return (int) (extendedFeatures >>> 32 & 0x1f) + 1;
  }

  private boolean bit(int number) {
    return (extendedFeatures >>> number & 1) != 0;
  }
}
