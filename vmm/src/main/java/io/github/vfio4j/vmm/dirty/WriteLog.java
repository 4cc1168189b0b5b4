package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.VfioException;
import java.util.List;

/** Knows which pages of the guest's memory a device has written, or several of them have. */
sealed interface WriteLog permits DeviceLog, SharedLog, NoLog {
  /**
   * Sets the bits of the pages that have been written since the last reading, or may have been.
   *
   * @param memory a bitmap for each piece of the guest's memory
   */
  void readAndClear(List<DirtyBitmap> memory) throws VfioException;

  /** Sets the bits of all pages. */
  static void addAll(List<DirtyBitmap> memory) {
    memory.forEach(each -> each.add(each.iova(), each.length()));
  }

  /** Ends it. */
  void close() throws VfioException;
}
