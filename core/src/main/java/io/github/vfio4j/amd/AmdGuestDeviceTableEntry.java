package io.github.vfio4j.amd;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import io.github.vfio4j.bindings.iommu_hwpt_amd_guest;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwptData;
import java.nio.ByteBuffer;

/**
 * A guest's device table entry (DTE) of AMD's IOMMU.
 *
 * @param word0 bits 0 to 63
 * @param word1 bits 64 to 127
 * @param word2 bits 128 to 191
 * @param word3 bits 192 to 255
 */
public record AmdGuestDeviceTableEntry(long word0, long word1, long word2, long word3)
    implements HwptData {
  @Override
  public int type() {
    return iommufd_h.IOMMU_HWPT_DATA_AMD_GUEST;
  }

  @Override
  public byte[] bytes() {
    return ByteBuffer.allocate((int) iommu_hwpt_amd_guest.SIZEOF)
        .order(LITTLE_ENDIAN)
        .putLong(word0)
        .putLong(word1)
        .putLong(word2)
        .putLong(word3)
        .array();
  }
}
