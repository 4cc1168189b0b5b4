package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.lab.OnMachine;
import io.github.vfio4j.migration.DmaLog;
import io.github.vfio4j.sysfs.MediatedDevice;
import io.github.vfio4j.sysfs.Sysfs;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The log of a device of software that does no DMA: it is always empty, so that the calls are shown
 * here, and not that they find anything.
 */
@OnMachine(
    value = {"intel/legacy", "smmuv3", "amd"},
    since = "6.12")
class DmaLogTest {
  private static final long PAGE = 4096;

  private interface Use {
    void with(VfioDevice device) throws VfioException;
  }

  private static void onSerialPort(Backend backend, Use use) throws VfioException {
    MediatedDevice mtty = SerialPort.create();
    try (VfioDevice device = VfioDevice.open(mtty, backend)) {
      use.with(device);
    } finally {
      Sysfs.host().remove(mtty);
    }
  }

  @EachBackend
  void isStartedReadAndStopped(Backend backend) throws VfioException {
    List<IovaRange> ranges =
        LongStream.range(0, 256)
            .mapToObj(i -> new IovaRange(2 * i * PAGE, (2 * i + 1) * PAGE - 1))
            .toList();
    onSerialPort(
        backend,
        device -> {
          try (DmaLog log = DmaLog.start(device, PAGE, ranges)) {
            assertThat(log.pageSize()).isEqualTo(PAGE);
            DirtyBitmap bitmap = new DirtyBitmap(4 * PAGE, PAGE, PAGE);
            log.readAndClear(bitmap);
            assertThat(bitmap.count()).isZero();
            assertThatThrownBy(() -> DmaLog.start(device, PAGE, ranges))
                .isInstanceOf(DeviceBusyException.class);
            assertThatThrownBy(() -> log.readAndClear(new DirtyBitmap(PAGE, PAGE, PAGE)))
                .isInstanceOf(IllegalArgumentException.class);
          }
          DmaLog large = DmaLog.start(device, 1L << 21, List.of(new IovaRange(0, (1L << 40) - 1)));
          large.readAndClear(new DirtyBitmap(1L << 32, 1L << 32, 1L << 12));
          large.close();
          assertThatThrownBy(() -> large.readAndClear(new DirtyBitmap(0, PAGE, PAGE)))
              .isInstanceOf(IllegalStateException.class);
          assertThatThrownBy(() -> DmaLog.start(device, PAGE, List.of(new IovaRange(0, PAGE + 1))))
              .isInstanceOf(IllegalArgumentException.class);
          DmaLog.start(device, PAGE, ranges); // ends with the device
        });
  }

  @EachBackend
  @Bound(Device.EDU)
  void aDeviceWithoutOneSaysSo(Backend backend) throws VfioException {
    try (VfioDevice edu = VfioDevice.open(Machine.EDU, backend)) {
      assertThatThrownBy(() -> DmaLog.start(edu, PAGE, List.of(new IovaRange(0, PAGE - 1))))
          .isInstanceOf(UnsupportedByKernelException.class);
    }
  }
}
