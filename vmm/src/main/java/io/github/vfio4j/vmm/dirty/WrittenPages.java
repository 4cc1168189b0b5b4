package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.container.Container;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.iommufd.CdevDevice;
import io.github.vfio4j.iommufd.HwptFlag;
import io.github.vfio4j.iommufd.HwptPaging;
import io.github.vfio4j.outcome.Closing;
import io.github.vfio4j.outcome.Rollback;
import io.github.vfio4j.vmm.memory.GuestMemory;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which pages of a guest's memory were written, by whomever. Of each device the one is asked that
 * knows best: the device, the page table of its IOMMU, its container, or nobody. Not thread-safe.
 */
public final class WrittenPages {
  private static final Logger LOGGER = System.getLogger(WrittenPages.class.getName());

  private final GuestMemory memory;

  /** By who knows: devices that have one in common have its log in common. */
  private final Map<Object, WriteLog> logs = new LinkedHashMap<>();

  private final Map<VfioDevice, Object> knowing = new HashMap<>();
  private boolean noted;

  /** Notes nothing yet. */
  public WrittenPages(GuestMemory memory) {
    this.memory = memory;
  }

  /**
   * Begins to note what is written. Does nothing where it is noted already.
   *
   * @param devices those that the guest has now
   */
  public void start(List<VfioDevice> devices) throws VfioException {
    if (noted) {
      return;
    }
    stop(); // what could not be ended before
    try (Rollback rollback = new Rollback()) {
      rollback.add(this::stop);
      memory.startLogging();
      for (VfioDevice device : devices) {
        add(device);
      }
      noted = rollback.done(true);
    }
  }

  /** Ends that. All is tried, and can be tried again where the kernel refuses. */
  public void stop() throws VfioException {
    noted = false;
    Closing closing = new Closing();
    for (Map.Entry<Object, WriteLog> each : List.copyOf(logs.entrySet())) {
      closing.attempt(
          () -> {
            each.getValue().close();
            logs.remove(each.getKey());
            knowing.values().removeIf(each.getKey()::equals);
          });
    }
    closing.attempt(memory::stopLogging);
    closing.rethrow();
  }

  /** Takes note of a device that the guest is about to get. */
  public void came(VfioDevice device) throws VfioException {
    if (noted) {
      add(device);
    }
  }

  /**
   * Takes note that a device is closed, while what it was attached to is still there. All memory
   * counts as written then: nobody could be asked what the device wrote in the end.
   */
  public void gone(VfioDevice device) throws VfioException {
    Object known = knowing.remove(device);
    if (known != null) {
      memory.addAll();
      WriteLog log = logs.get(known);
      if (log != null && !knowing.containsValue(known)) {
        logs.remove(known);
        log.close();
      }
    }
  }

  private void add(VfioDevice device) throws VfioException {
    if (!addOwnLog(device)) {
      Object table =
          device instanceof CdevDevice cdev && cdev.attached().isPresent()
              ? cdev.attached().get()
              : device.addressSpace();
      if (!logs.containsKey(table)) {
        logs.put(table, logOf(table));
      }
      knowing.put(device, table);
    }
  }

  private boolean addOwnLog(VfioDevice device) throws VfioException {
    if (!DeviceFeature.DMA_LOGGING_START.isOf(device)) {
      return false;
    }
    try {
      logs.put(device, DeviceLog.start(device, memory.ranges()));
      knowing.put(device, device);
      return true;
    } catch (UnsupportedByKernelException e) {
      LOGGER.log(Level.DEBUG, "the device does not note what it writes", e);
      return false;
    }
  }

  private static WriteLog logOf(Object table) throws VfioException {
    try {
      return switch (table) {
        case HwptPaging hwpt when hwpt.flags().contains(HwptFlag.DIRTY_TRACKING) ->
            SharedLog.start(hwpt);
        case Container container when container.granule() == GuestMemory.PAGE ->
            SharedLog.start(container);
        default -> new NoLog();
      };
    } catch (UnsupportedByKernelException e) {
      LOGGER.log(Level.DEBUG, "nobody notes what devices write", e);
      return new NoLog();
    }
  }

  /**
   * Returns which pages were written since the last reading, and forgets it. All count as written
   * at the next reading if this throws.
   *
   * @return a bitmap for each piece of memory, by address
   * @throws IllegalStateException if nothing is noted
   */
  public List<DirtyBitmap> readAndClear() throws VfioException {
    if (!noted) {
      throw new IllegalStateException(
          "it is not noted which pages are written: switch dirty tracking on first");
    }
    return memory.readAndClear(
        bitmaps -> {
          for (WriteLog log : logs.values()) {
            log.readAndClear(bitmaps);
          }
        });
  }
}
