package io.github.vfio4j.smmuv3;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.bindings.iommu_hwpt_arm_smmuv3;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwptData;
import java.nio.ByteBuffer;

/**
 * The part of a guest's stream table entry (STE) that Arm's SMMUv3 takes from a guest.
 *
 * @param word0 the first double word: V, Config, S1Fmt, S1ContextPtr, S1CDMax
 * @param word1 the second one: EATS, S1DSS, S1CIR, S1COR, S1CSH, S1STALLD
 */
public record ArmSmmuv3StreamTableEntry(long word0, long word1) implements HwptData {
  private static final long VALID = 1;
  private static final long BYPASS = 4 << 1;
  private static final long TRANSLATE = 5 << 1;

  /** S1CIR, S1COR and S1CSH: descriptors are read through the caches that the guest writes to. */
  private static final long CACHED_DESCRIPTORS = 1 << 2 | 1 << 4 | 3 << 6;

  private static final int DESCRIPTOR_ALIGNMENT = 64;
  private static final int ADDRESS_BITS = 52;

  /**
   * Has the guest's page tables translate: those of the one context descriptor of the stream. A
   * fault does not stall, and the device may not ask for translations in advance (ATS).
   *
   * @param contextDescriptor where the descriptor is: a guest physical address below 2^52, a
   *     multiple of 64
   * @return the entry
   * @throws IllegalArgumentException if the address is another
   */
  public static ArmSmmuv3StreamTableEntry translate(long contextDescriptor) {
    if (contextDescriptor % DESCRIPTOR_ALIGNMENT != 0 || contextDescriptor >>> ADDRESS_BITS != 0) {
      throw new IllegalArgumentException(
          "A context descriptor is at a multiple of %d below 2^%d, not at 0x%x"
              .formatted(DESCRIPTOR_ALIGNMENT, ADDRESS_BITS, contextDescriptor));
    }
    return new ArmSmmuv3StreamTableEntry(VALID | TRANSLATE | contextDescriptor, CACHED_DESCRIPTORS);
  }

  /**
   * Has the device use guest physical addresses: only the second stage translates.
   *
   * @return the entry
   */
  public static ArmSmmuv3StreamTableEntry bypass() {
    return new ArmSmmuv3StreamTableEntry(VALID | BYPASS, 0);
  }

  /**
   * Ends all DMA of the device, without events.
   *
   * @return the entry
   */
  public static ArmSmmuv3StreamTableEntry abort() {
    return new ArmSmmuv3StreamTableEntry(VALID, 0);
  }

  @Override
  public int type() {
    return iommufd_h.IOMMU_HWPT_DATA_ARM_SMMUV3;
  }

  @Override
  public byte[] bytes() {
    return ByteBuffer.allocate((int) iommu_hwpt_arm_smmuv3.SIZEOF)
        .order(LITTLE_ENDIAN)
        .putLong(word0)
        .putLong(word1)
        .array();
  }
}
