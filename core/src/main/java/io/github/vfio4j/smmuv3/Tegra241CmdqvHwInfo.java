package io.github.vfio4j.smmuv3;

import io.github.vfio4j.bindings.iommu_hw_info_tegra241_cmdqv;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwData;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * NVIDIA's virtual command queues of an SMMUv3.
 *
 * @param flags none are defined
 * @param version of the extension
 * @param queueBits the binary logarithm of the number of queues
 * @param streamIdBits the binary logarithm of the number of stream IDs that can be replaced
 */
public record Tegra241CmdqvHwInfo(int flags, int version, int queueBits, int streamIdBits) {
  /**
   * Reads the description, where it is of this kind.
   *
   * @param data what the kernel has said
   * @return the description; empty where it is of another kind of IOMMU, or cut short
   */
  public static Optional<Tegra241CmdqvHwInfo> of(HwData data) {
    return data.structure(
            iommufd_h.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV, iommu_hw_info_tegra241_cmdqv.SIZEOF)
        .map(Tegra241CmdqvHwInfo::read);
  }

  private static Tegra241CmdqvHwInfo read(MemorySegment data) {
    return new Tegra241CmdqvHwInfo(
        iommu_hw_info_tegra241_cmdqv.flags(data),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.version(data)),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.log2vcmdqs(data)),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.log2vsids(data)));
  }
}
