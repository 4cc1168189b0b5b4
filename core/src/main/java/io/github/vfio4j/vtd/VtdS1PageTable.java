package io.github.vfio4j.vtd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.github.vfio4j.bindings.iommu_hwpt_vtd_s1;
import io.github.vfio4j.bindings.iommufd_h;
import io.github.vfio4j.iommufd.HwptData;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A first-stage page table of Intel's VT-d.
 *
 * @param address where its root is, in the address space of the parent page table
 * @param addressWidth bits of the addresses that it translates: 48 or 57
 * @param flags {@code IOMMU_VTD_S1_SRE}, {@code IOMMU_VTD_S1_EAFE} and {@code IOMMU_VTD_S1_WPE}
 */
public record VtdS1PageTable(long address, int addressWidth, long flags) implements HwptData {
  @Override
  public int type() {
    return iommufd_h.IOMMU_HWPT_DATA_VTD_S1;
  }

  @Override
  public byte[] bytes() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(iommu_hwpt_vtd_s1.LAYOUT);
      iommu_hwpt_vtd_s1.flags(data, flags);
      iommu_hwpt_vtd_s1.pgtbl_addr(data, address);
      iommu_hwpt_vtd_s1.addr_width(data, addressWidth);
      return data.toArray(JAVA_BYTE);
    }
  }
}
