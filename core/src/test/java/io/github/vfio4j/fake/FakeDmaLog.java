package io.github.vfio4j.fake;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.github.vfio4j.Errno;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_control;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_range;
import io.github.vfio4j.bindings.vfio_device_feature_dma_logging_report;
import io.github.vfio4j.bindings.vfio_h;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What a device notes of its DMA. */
public final class FakeDmaLog {
  private final List<String> ranges = new ArrayList<>();
  private final TreeSet<Long> written = new TreeSet<>();
  private long pageSize;
  private @Nullable Errno failing;
  private boolean started;

  /** Has the device choose a size of pages. */
  public void choose(long bytes) {
    pageSize = bytes;
  }

  /** Notes that the device has written to an address. */
  public void write(long iova) {
    written.add(iova);
  }

  /** Makes all that is asked of the log fail, or not any more. */
  public void fail(@Nullable Errno errno) {
    failing = errno;
  }

  public boolean isStarted() {
    return started;
  }

  /** Returns where DMA is noted, as {@code first+length}. */
  public List<String> ranges() {
    return ranges;
  }

  int feature(int number, MemorySegment payload) {
    if (failing != null) {
      return -failing.number();
    }
    return switch (number) {
      case vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_START -> start(payload);
      case vfio_h.VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP -> {
        started = false;
        yield 0;
      }
      default -> started ? report(payload) : -Errno.EINVAL.number();
    };
  }

  @SuppressWarnings("restricted")
  private int start(MemorySegment control) {
    int count = vfio_device_feature_dma_logging_control.num_ranges(control);
    long size = vfio_device_feature_dma_logging_range.SIZEOF;
    MemorySegment array =
        MemorySegment.ofAddress(vfio_device_feature_dma_logging_control.ranges(control))
            .reinterpret(count * size);
    for (int i = 0; i < count; i++) {
      MemorySegment range = array.asSlice(i * size, size);
      ranges.add(
          "%x+%x"
              .formatted(
                  vfio_device_feature_dma_logging_range.iova(range),
                  vfio_device_feature_dma_logging_range.length(range)));
    }
    if (pageSize != 0) {
      vfio_device_feature_dma_logging_control.page_size(control, pageSize);
    }
    started = true;
    return 0;
  }

  @SuppressWarnings("restricted")
  private int report(MemorySegment report) {
    long iova = vfio_device_feature_dma_logging_report.iova(report);
    long length = vfio_device_feature_dma_logging_report.length(report);
    long page = vfio_device_feature_dma_logging_report.page_size(report);
    MemorySegment bits =
        MemorySegment.ofAddress(vfio_device_feature_dma_logging_report.bitmap(report))
            .reinterpret((length / page + 63) / 64 * Long.BYTES);
    for (long each : new TreeSet<>(written)) {
      if (each >= iova && each - iova < length) {
        long bit = (each - iova) / page;
        long at = bit / 64 * Long.BYTES;
        bits.set(JAVA_LONG, at, bits.get(JAVA_LONG, at) | 1L << bit);
        written.remove(each);
      }
    }
    return 0;
  }
}
