package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.HwptPaging;
import java.util.List;

/** The IOMMU knows, by the dirty bits of its page table: of all devices that are attached to it. */
final class TableLog implements WriteLog {
  private final HwptPaging table;

  private TableLog(HwptPaging table) {
    this.table = table;
  }

  static TableLog start(HwptPaging table) throws VfioException {
    table.setDirtyTracking(true);
    return new TableLog(table);
  }

  @Override
  public void readAndClear(List<DirtyBitmap> memory) throws VfioException {
    for (DirtyBitmap each : memory) {
      table.readAndClearDirty(each);
    }
  }

  @Override
  public void close() throws VfioException {
    table.setDirtyTracking(false);
  }
}
