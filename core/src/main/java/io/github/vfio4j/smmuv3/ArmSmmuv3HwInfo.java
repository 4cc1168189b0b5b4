package io.github.vfio4j.smmuv3;

import io.github.vfio4j.bindings.iommu_hw_info_arm_smmuv3;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwData;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What Arm's SMMUv3 can do, as its registers say. Only the fields that the methods here read mean
 * something for a guest.
 *
 * @param flags the {@code IOMMU_HW_INFO_ARM_SMMUV3_} bits
 * @param idr the registers IDR0 to IDR5
 * @param iidr who made it
 * @param aidr which version of the architecture it follows
 */
public record ArmSmmuv3HwInfo(int flags, List<Integer> idr, int iidr, int aidr) {
  private static final int REGISTERS = 6;

  /**
   * Checks the number of registers.
   *
   * @throws IllegalArgumentException if there are not six registers IDR
   */
  public ArmSmmuv3HwInfo {
    if (idr.size() != REGISTERS) {
      throw new IllegalArgumentException("An SMMUv3 has six registers IDR, not " + idr.size());
    }
    idr = List.copyOf(idr);
  }

  /**
   * Reads the description, where it is of this kind.
   *
   * @param data what the kernel has said
   * @return the description; empty where it is of another kind of IOMMU, or cut short
   */
  public static Optional<ArmSmmuv3HwInfo> of(HwData data) {
    return data.structure(iommufd_h.IOMMU_HW_INFO_TYPE_ARM_SMMUV3, iommu_hw_info_arm_smmuv3.SIZEOF)
        .map(ArmSmmuv3HwInfo::read);
  }

  private static ArmSmmuv3HwInfo read(MemorySegment data) {
    return new ArmSmmuv3HwInfo(
        iommu_hw_info_arm_smmuv3.flags(data),
        IntStream.range(0, REGISTERS).mapToObj(i -> iommu_hw_info_arm_smmuv3.idr(data, i)).toList(),
        iommu_hw_info_arm_smmuv3.iidr(data),
        iommu_hw_info_arm_smmuv3.aidr(data));
  }

  /**
   * Returns how many streams a guest may number.
   *
   * @return bits of a stream ID
   */
  public int streamIdBits() {
    return field(1, 0, 6);
  }

  /**
   * Returns how many substreams, which are PASIDs, a stream may have.
   *
   * @return bits of a substream ID; 0 for none
   */
  public int substreamIdBits() {
    return field(1, 6, 5);
  }

  /**
   * Returns whether page tables of 64-bit Arm can be walked.
   *
   * @return whether it has the AArch64 format
   */
  public boolean aarch64Tables() {
    return (field(0, 2, 2) & 2) != 0;
  }

  /**
   * Returns whether guests may use 16-bit address space IDs.
   *
   * @return whether they have 16 bits instead of 8
   */
  public boolean asid16() {
    return field(0, 12, 1) != 0;
  }

  /**
   * Returns whether an access to a missing page can wait.
   *
   * @return whether faults can be stalled
   */
  public boolean stalls() {
    return field(0, 24, 2) != 1;
  }

  /**
   * Returns whether invalidations may name ranges.
   *
   * @return whether it has range invalidation
   */
  public boolean rangeInvalidation() {
    return field(3, 10, 1) != 0;
  }

  /**
   * Returns whether page tables may have pages of 4 KiB.
   *
   * @return whether it has the granule
   */
  public boolean granule4k() {
    return field(5, 4, 1) != 0;
  }

  /**
   * Returns whether page tables may have pages of 16 KiB.
   *
   * @return whether it has the granule
   */
  public boolean granule16k() {
    return field(5, 5, 1) != 0;
  }

  /**
   * Returns whether page tables may have pages of 64 KiB.
   *
   * @return whether it has the granule
   */
  public boolean granule64k() {
    return field(5, 6, 1) != 0;
  }

  /**
   * Returns whether a guest has to give each invalidation twice on this hardware.
   *
   * @return whether it has the erratum
   */
  public boolean repeatInvalidations() {
    return (flags & iommufd_h.IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI) != 0;
  }

  private int field(int register, int shift, int width) {
    return idr.get(register) >>> shift & (1 << width) - 1;
  }
}
