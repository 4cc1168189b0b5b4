package io.github.vfio4j.vmm.dirty;

import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.migration.DmaLog;
import io.github.vfio4j.vmm.memory.GuestMemory;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The device itself knows. Its log is of certain ranges: where memory has come, or the log has gone
 * wrong, another one is begun, and all counts as written once.
 */
final class DeviceLog implements WriteLog {
  private static final Logger LOGGER = System.getLogger(DeviceLog.class.getName());

  private final VfioDevice device;
  private @Nullable DmaLog log;

  private DeviceLog(VfioDevice device, DmaLog log) {
    this.device = device;
    this.log = log;
  }

  static DeviceLog start(VfioDevice device, List<IovaRange> memory) throws VfioException {
    return new DeviceLog(device, DmaLog.start(device, GuestMemory.PAGE, memory));
  }

  @Override
  public void readAndClear(List<DirtyBitmap> memory) throws VfioException {
    List<IovaRange> ranges =
        memory.stream()
            .map(each -> new IovaRange(each.iova(), each.iova() + (each.length() - 1)))
            .toList();
    if (!read(memory, ranges)) {
      close();
      log = DmaLog.start(device, GuestMemory.PAGE, ranges);
      WriteLog.addAll(memory);
    }
  }

  /** Returns whether the log knows of all the memory, and could be read. */
  private boolean read(List<DirtyBitmap> memory, List<IovaRange> ranges) {
    DmaLog read = log;
    if (read == null
        || !ranges.stream()
            .allMatch(range -> read.ranges().stream().anyMatch(each -> each.contains(range)))) {
      return false;
    }
    try {
      for (DirtyBitmap each : memory) {
        read.readAndClear(each);
      }
      return true;
    } catch (VfioException e) {
      LOGGER.log(Level.WARNING, "all memory counts as written by " + device, e);
      return false;
    }
  }

  @Override
  public void close() throws VfioException {
    DmaLog closed = log;
    if (closed != null) {
      closed.close();
      log = null;
    }
  }
}
