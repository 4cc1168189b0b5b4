package io.github.vfio4j;

import io.github.vfio4j.bindings.iommu_hw_info_tegra241_cmdqv;
import io.github.vfio4j.bindings.iommufd_h;
import java.lang.foreign.MemorySegment;

/**
 * NVIDIA's virtual command queues of an SMMUv3.
 *
 * @param flags none are defined
 * @param version of the extension
 * @param queueBits the binary logarithm of the number of queues
 * @param streamIdBits the binary logarithm of the number of stream IDs that can be replaced
 */
public record Tegra241CmdqvHwInfo(int flags, int version, int queueBits, int streamIdBits)
    implements HwData {
  static Tegra241CmdqvHwInfo read(MemorySegment data) {
    return new Tegra241CmdqvHwInfo(
        iommu_hw_info_tegra241_cmdqv.flags(data),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.version(data)),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.log2vcmdqs(data)),
        Byte.toUnsignedInt(iommu_hw_info_tegra241_cmdqv.log2vsids(data)));
  }

  @Override
  public int type() {
    return iommufd_h.IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV;
  }
}
