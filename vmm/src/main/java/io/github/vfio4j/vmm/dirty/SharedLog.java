package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.iommufd.HwptPaging;
import java.util.List;

/** What devices are attached to knows, of all of them at once. */
final class SharedLog implements WriteLog {
  private interface Switch {
    void set(boolean on) throws VfioException;
  }

  private interface Reader {
    void readAndClear(DirtyBitmap bitmap) throws VfioException;
  }

  private final Switch tracking;
  private final Reader reader;

  private SharedLog(Switch tracking, Reader reader) {
    this.tracking = tracking;
    this.reader = reader;
  }

  /** The IOMMU knows, by the dirty bits of its page table. */
  static SharedLog start(HwptPaging table) throws VfioException {
    return start(table::setDirtyTracking, table::readAndClearDirty);
  }

  /**
   * The container knows what is pinned for its devices: of mediated ones what they have asked for,
   * of others all that they reach.
   */
  static SharedLog start(Container container) throws VfioException {
    return start(container::setDirtyTracking, container::readAndClearDirty);
  }

  private static SharedLog start(Switch tracking, Reader reader) throws VfioException {
    tracking.set(true);
    return new SharedLog(tracking, reader);
  }

  @Override
  public void readAndClear(List<DirtyBitmap> memory) throws VfioException {
    for (DirtyBitmap each : memory) {
      reader.readAndClear(each);
    }
  }

  @Override
  public void close() throws VfioException {
    tracking.set(false);
  }
}
