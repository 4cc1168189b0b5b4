package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.iommufd.Ioas;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/**
 * The page tables of devices that share an address space: such as note what devices write, where
 * the IOMMU can. Devices behind one IOMMU share a table. Not thread-safe.
 */
public final class PageTables {
  private static final Logger LOGGER = System.getLogger(PageTables.class.getName());

  private final Ioas space;
  private final List<HwptPaging> tables = new ArrayList<>();

  /** Makes none yet. */
  public PageTables(Ioas space) {
    this.space = space;
  }

  /** Returns the address space. */
  public Ioas space() {
    return space;
  }

  /** Attaches a device, at the worst to the address space itself, for the kernel to choose. */
  public void attach(CdevDevice device) throws VfioException {
    if (!hasDirtyBits(device)
        || (tables.stream().noneMatch(table -> isAttached(device, table))
            && !isAttachedToNew(device))) {
      device.attach(space);
    }
  }

  private static boolean hasDirtyBits(CdevDevice device) {
    try {
      return device.hwInfo().dirtyTracking();
    } catch (VfioException e) { // no IOMMU translates for it, or the kernel does not tell
      LOGGER.log(Level.DEBUG, "nothing is known of the IOMMU", e);
      return false;
    }
  }

  private static boolean isAttached(CdevDevice device, HwptPaging table) {
    try {
      device.attach(table);
      return true;
    } catch (VfioException e) { // it is of another IOMMU
      LOGGER.log(Level.DEBUG, "the device takes another page table", e);
      return false;
    }
  }

  private boolean isAttachedToNew(CdevDevice device) {
    try (Rollback rollback = new Rollback()) {
      HwptPaging table =
          rollback.make(
              () -> space.allocateHwpt(device, HwptFlag.DIRTY_TRACKING), HwptPaging::close);
      device.attach(table);
      tables.add(rollback.done(table));
      return true;
    } catch (VfioException e) {
      LOGGER.log(Level.DEBUG, "the device has no page table of dirty bits", e);
      return false;
    }
  }

  /** Destroys the tables that no device is attached to: they keep the guest's memory pinned. */
  public void closeUnused() throws VfioException {
    List<CdevDevice> devices = space.iommufd().devices();
    Closing closing = new Closing();
    for (HwptPaging table : List.copyOf(tables)) {
      if (devices.stream().noneMatch(each -> each.attached().filter(table::equals).isPresent())) {
        closing.attempt(
            () -> {
              table.close();
              tables.remove(table);
            });
      }
    }
    closing.rethrow();
  }
}
