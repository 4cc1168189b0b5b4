package io.github.vfio4j.migration;

import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_control;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_range;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_report;
import io.github.vfio4j.device.Ending;
import io.github.vfio4j.device.KernelFeature;
import io.github.vfio4j.device.OpenDevice;
import io.github.vfio4j.feature.DeviceFeature;
import io.github.vfio4j.linux.Ioctl;
import io.github.vfio4j.outcome.Answer;
import io.github.vfio4j.outcome.Rollback;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A device's own log of the memory that it has written by DMA, for memory that is moved while the
 * device runs; of Linux 6.1. It needs no dirty bits of the IOMMU and has nothing to do with the
 * states of a {@link Migration}.
 *
 * <p>A device has one log at a time. It ends with the device. Thread-safe; once it is closed,
 * {@link #readAndClear} throws {@link IllegalStateException}.
 */
public final class DmaLog implements AutoCloseable {
  /** What the kernel wants of a page at least. */
  private static final long SMALLEST_PAGE = 4096;

  private final OpenDevice device;
  private final List<IovaRange> ranges;

  /** The ranges, with those that touch each other joined. */
  private final List<IovaRange> logged;

  /** Allocated once, since the log is read often. */
  private final MemorySegment report =
      KernelFeature.request(Arena.ofAuto(), vfio_device_feature_dma_logging_report.SIZEOF);

  private long pageSize;
  private boolean started;
  private boolean closed;

  private DmaLog(OpenDevice device, List<IovaRange> sorted) {
    this.device = device;
    this.ranges = sorted;
    this.logged = joined(sorted);
  }

  /**
   * Has a device begin to take note; {@code VFIO_DEVICE_FEATURE_DMA_LOGGING_START}.
   *
   * @param device the device
   * @param pageSize how many bytes it shall tell apart, a power of two; it may choose another size
   * @param ranges where its DMA is noted: whole such pages that do not overlap, at most as many as
   *     16 bytes for each fill a page of the kernel's: 256 where it has 4096 bytes
   * @return the log; the caller closes it, or the device does
   * @throws IllegalArgumentException if a range or the page size is not such a one, or the device
   *     was not opened by this library
   * @throws IllegalStateException if the device is closed
   * @throws DeviceBusyException if the device has a log already
   * @throws UnsupportedByKernelException if it cannot take note, or not of so many ranges
   * @throws VfioException if the kernel refuses otherwise
   */
  public static DmaLog start(VfioDevice device, long pageSize, List<IovaRange> ranges)
      throws VfioException {
    OpenDevice engine = OpenDevice.of(device);
    List<IovaRange> sorted = checked(engine, pageSize, ranges);
    try (Rollback rollback = new Rollback()) {
      DmaLog log = new DmaLog(engine, sorted);
      if (!engine.ownOne(Ending.BEFORE, log, log::close)) {
        throw new DeviceBusyException(
            "log DMA", engine.name(), null, "it has a log already, which is not closed");
      }
      rollback.add(log::close);
      log.start(pageSize);
      return rollback.done(log);
    }
  }

  private static List<IovaRange> checked(OpenDevice device, long pageSize, List<IovaRange> ranges) {
    if (Long.bitCount(pageSize) != 1) {
      throw new IllegalArgumentException("a page size is a power of two, not " + pageSize);
    }
    List<IovaRange> sorted = new ArrayList<>(ranges);
    int most = device.kernel().pageSize() / (int) vfio_device_feature_dma_logging_range.SIZEOF;
    if (sorted.isEmpty() || sorted.size() > most) {
      throw new IllegalArgumentException(
          "DMA is logged in 1 to %d ranges, not in %d".formatted(most, sorted.size()));
    }
    sorted.sort(Comparator.comparing(IovaRange::first, Long::compareUnsigned));
    for (int i = 0; i < sorted.size(); i++) {
      IovaRange range = sorted.get(i);
      if (((range.first() | (range.last() + 1)) & (pageSize - 1)) != 0) {
        throw new IllegalArgumentException(range + " is not whole pages of " + pageSize);
      }
      if (range.last() == -1) {
        throw new IllegalArgumentException(
            range + " reaches the end of the address space, where no DMA is logged");
      }
      if (i > 0 && sorted.get(i - 1).overlaps(range)) {
        throw new IllegalArgumentException(sorted.get(i - 1) + " and " + range + " overlap");
      }
    }
    return List.copyOf(sorted);
  }

  private static List<IovaRange> joined(List<IovaRange> sorted) {
    List<IovaRange> joined = new ArrayList<>();
    for (IovaRange range : sorted) {
      if (!joined.isEmpty() && joined.getLast().last() + 1 == range.first()) {
        joined.add(new IovaRange(joined.removeLast().first(), range.last()));
      } else {
        joined.add(range);
      }
    }
    return List.copyOf(joined);
  }

  private synchronized void start(long wantedPageSize) throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      long rangeSize = vfio_device_feature_dma_logging_range.SIZEOF;
      MemorySegment array = arena.allocate(ranges.size() * rangeSize, Long.BYTES);
      for (int i = 0; i < ranges.size(); i++) {
        MemorySegment range = array.asSlice(i * rangeSize, rangeSize);
        long first = ranges.get(i).first();
        vfio_device_feature_dma_logging_range.iova(range, first);
        vfio_device_feature_dma_logging_range.length(range, ranges.get(i).last() - first + 1);
      }
      MemorySegment request =
          KernelFeature.request(arena, vfio_device_feature_dma_logging_control.SIZEOF);
      MemorySegment control = KernelFeature.payload(request);
      vfio_device_feature_dma_logging_control.page_size(control, wantedPageSize);
      vfio_device_feature_dma_logging_control.num_ranges(control, ranges.size());
      vfio_device_feature_dma_logging_control.ranges(control, array.address());
      DeviceFeature.DMA_LOGGING_START.kernel().set(device, request, "");
      started = true;
      pageSize = vfio_device_feature_dma_logging_control.page_size(control);
      if (Long.bitCount(pageSize) != 1) {
        throw impossible("pages of " + Long.toUnsignedString(pageSize) + " bytes");
      }
    }
  }

  private VfioException impossible(String what) {
    return Answer.impossible(Ioctl.VFIO_DEVICE_FEATURE, device.name(), what);
  }

  /**
   * Returns where the device's DMA is noted.
   *
   * @return the ranges, by address
   */
  public List<IovaRange> ranges() {
    return ranges;
  }

  /**
   * Returns how much the device tells apart.
   *
   * @return bytes of the pages that it has chosen, a power of two
   */
  public long pageSize() {
    return pageSize;
  }

  /**
   * Reads which pages the device has written since the last reading, and clears that; {@code
   * VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT}. Bits that are set in the bitmap already stay set. A
   * failure can leave the log wrong: take all memory as written then, and start another log.
   *
   * @param bitmap which range to read, and where the answer goes; its pages may be larger or
   *     smaller than the device's
   * @throws IllegalArgumentException if a part of the bitmap's range is not logged, or its pages
   *     are smaller than 4096 bytes
   * @throws IllegalStateException if the log or the device is closed
   * @throws VfioException if the kernel refuses
   */
  public synchronized void readAndClear(DirtyBitmap bitmap) throws VfioException {
    if (closed) {
      throw new IllegalStateException(this + " is closed");
    }
    if (bitmap.pageSize() < SMALLEST_PAGE) {
      throw new IllegalArgumentException("pages of " + bitmap.pageSize() + " bytes are too small");
    }
    IovaRange range = new IovaRange(bitmap.iova(), bitmap.iova() + (bitmap.length() - 1));
    if (logged.stream().noneMatch(each -> each.contains(range))) {
      throw new IllegalArgumentException("of " + range + " only a part is logged: " + logged);
    }
    MemorySegment payload = KernelFeature.payload(report);
    vfio_device_feature_dma_logging_report.iova(payload, bitmap.iova());
    vfio_device_feature_dma_logging_report.length(payload, bitmap.length());
    vfio_device_feature_dma_logging_report.page_size(payload, bitmap.pageSize());
    vfio_device_feature_dma_logging_report.bitmap(payload, bitmap.bits().address());
    try {
      DeviceFeature.DMA_LOGGING_REPORT
          .kernel()
          .get(device, report, "the log may be wrong now: take all memory as written");
    } finally {
      Reference.reachabilityFence(bitmap);
    }
  }

  /**
   * Has the device take no more note; {@code VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP}. Later calls do
   * nothing, and so does closing after the device is closed or has gone.
   *
   * @throws VfioException if the kernel refuses; the log is still there then
   */
  @Override
  public synchronized void close() throws VfioException {
    if (closed) {
      return;
    }
    if (started && !device.isClosed()) {
      stop();
    }
    closed = true;
    device.disown(this);
  }

  private void stop() throws VfioException {
    try (Arena arena = Arena.ofConfined()) {
      DeviceFeature.DMA_LOGGING_STOP.kernel().set(device, KernelFeature.request(arena, 0), "");
    } catch (IllegalStateException e) {
      if (!device.isClosed()) {
        throw e;
      }
    } catch (VfioException e) {
      if (!e.errno().equals(Optional.of(Errno.ENODEV))) {
        throw e;
      }
    }
  }

  /** Returns the name used in messages. */
  @Override
  public String toString() {
    return "the DMA log of " + device.name();
  }
}
