package io.github.vfio4j.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.Backend;
import io.github.vfio4j.DeviceBusyException;
import io.github.vfio4j.DirtyBitmap;
import io.github.vfio4j.Errno;
import io.github.vfio4j.IovaRange;
import io.github.vfio4j.UnsupportedByKernelException;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.fake.FakeDmaLog;
import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DmaLogTest {
  private static final long PAGE = 4096;
  private static final IovaRange LOW = new IovaRange(0, 16 * PAGE - 1);
  private static final IovaRange NEXT = new IovaRange(16 * PAGE, 32 * PAGE - 1);
  private static final IovaRange HIGH = new IovaRange(1L << 63, (1L << 63) + PAGE - 1);

  @TempDir Path root;
  private FakeMachine machine;
  private FakeDmaLog fake;
  private VfioDevice device;

  @BeforeEach
  void openDevice() throws VfioException {
    machine = new FakeMachine(root);
    machine.migration.with(1);
    fake = machine.migration.log;
    device = machine.open(Backend.IOMMUFD);
  }

  @AfterEach
  void nothingIsLeft() throws VfioException {
    fake.fail(null);
    device.close();
    assertThat(fake.isStarted()).isFalse();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void tellsWhichPagesWereWrittenSinceTheLastReading() throws VfioException {
    DirtyBitmap bitmap = new DirtyBitmap(8 * PAGE, 16 * PAGE, PAGE);
    try (DmaLog log = DmaLog.start(device, PAGE, List.of(HIGH, NEXT, LOW))) {
      assertThat(log.ranges()).containsExactly(LOW, NEXT, HIGH);
      assertThat(fake.ranges()).containsExactly("0+10000", "10000+10000", "8000000000000000+1000");
      fake.write(9 * PAGE + 5);
      fake.write(30 * PAGE);

      log.readAndClear(bitmap); // over two ranges that touch each other

      assertThat(bitmap.count()).isEqualTo(1);
      assertThat(bitmap.nextDirty(8 * PAGE)).isEqualTo(9 * PAGE);
      bitmap.clear();
      log.readAndClear(bitmap);
      assertThat(bitmap.count()).isZero();
    }
    assertThat(fake.isStarted()).isFalse();
  }

  @Test
  void theDeviceChoosesTheSizeOfPages() throws VfioException {
    fake.choose(1 << 16);
    try (DmaLog log = DmaLog.start(device, PAGE, List.of(LOW))) {
      assertThat(log.pageSize()).isEqualTo(1 << 16);
    }
    for (long nonsense : new long[] {-1, 3, 4097}) {
      fake.choose(nonsense);
      assertThatThrownBy(() -> DmaLog.start(device, PAGE, List.of(LOW)))
          .isInstanceOf(VfioException.class)
          .hasMessageContaining(Long.toUnsignedString(nonsense));
      assertThat(fake.isStarted()).isFalse();
    }
  }

  @Test
  void rangesThatCannotBeLoggedAreRefusedBeforeTheKernelIsAsked() {
    List<List<IovaRange>> wrong =
        List.of(
            List.of(),
            List.of(new IovaRange(0, PAGE)),
            List.of(new IovaRange(1, PAGE - 1)),
            List.of(new IovaRange(PAGE / 2, PAGE - 1)),
            List.of(new IovaRange(0, -1)),
            List.of(new IovaRange(-PAGE, -1)),
            List.of(NEXT, LOW, new IovaRange(15 * PAGE, 16 * PAGE - 1)),
            List.of(LOW, LOW),
            LongStream.range(0, 257)
                .mapToObj(i -> new IovaRange(2 * i * PAGE, (2 * i + 1) * PAGE - 1))
                .toList());
    for (List<IovaRange> ranges : wrong) {
      assertThatIllegalArgumentException()
          .as("%s", ranges)
          .isThrownBy(() -> DmaLog.start(device, PAGE, ranges));
    }
    for (long pageSize : new long[] {0, 3, -PAGE, 5000}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DmaLog.start(device, pageSize, List.of(LOW)));
    }
    assertThat(machine.kernel.log()).doesNotContain("VFIO_DEVICE_FEATURE");
  }

  @Test
  void whatIsNotLoggedIsNotReportedAsClean() throws VfioException {
    try (DmaLog log = DmaLog.start(device, PAGE, List.of(LOW, HIGH))) {
      for (DirtyBitmap bitmap :
          List.of(
              new DirtyBitmap(NEXT.first(), PAGE, PAGE),
              new DirtyBitmap(15 * PAGE, 2 * PAGE, PAGE),
              new DirtyBitmap(0, 1L << 40, 1L << 30),
              new DirtyBitmap(0, PAGE, PAGE / 2))) {
        assertThatIllegalArgumentException().isThrownBy(() -> log.readAndClear(bitmap));
      }
    }
  }

  @Test
  void thereIsOneAtATime() throws VfioException {
    DmaLog first = DmaLog.start(device, PAGE, List.of(LOW));
    assertThatThrownBy(() -> DmaLog.start(device, PAGE, List.of(NEXT)))
        .isInstanceOf(DeviceBusyException.class);
    first.close();
    first.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> first.readAndClear(new DirtyBitmap(0, PAGE, PAGE)));
    DmaLog.start(device, PAGE, List.of(NEXT)).close();
  }

  @Test
  void endsWithTheDevice() throws VfioException {
    DmaLog log = DmaLog.start(device, PAGE, List.of(LOW));
    device.close();
    assertThat(fake.isStarted()).isFalse();
    assertThatIllegalStateException()
        .isThrownBy(() -> log.readAndClear(new DirtyBitmap(0, PAGE, PAGE)));
    assertThatIllegalStateException().isThrownBy(() -> DmaLog.start(device, PAGE, List.of(LOW)));
    log.close();
  }

  @Test
  void isThereUntilTheKernelStopsIt() throws VfioException {
    DmaLog log = DmaLog.start(device, PAGE, List.of(LOW));
    fake.fail(Errno.EIO);
    assertThatThrownBy(log::close).hasMessageContaining("DMA_LOGGING_STOP");
    assertThatThrownBy(() -> log.readAndClear(new DirtyBitmap(0, PAGE, PAGE)))
        .hasMessageContaining("take all memory as written");
    fake.fail(null);
    log.close();
    assertThat(fake.isStarted()).isFalse();
  }

  @Test
  void closesOnADeviceThatHasGone() throws VfioException {
    DmaLog log = DmaLog.start(device, PAGE, List.of(LOW));
    fake.fail(Errno.ENODEV);
    log.close();
    fake.fail(null);
    DmaLog.start(device, PAGE, List.of(LOW)).close();
  }

  @Test
  void aDeviceWithoutALogSaysSo() {
    machine.migration.with(0);
    assertThatThrownBy(() -> DmaLog.start(device, PAGE, List.of(LOW)))
        .isInstanceOf(UnsupportedByKernelException.class)
        .hasMessageContaining("DMA_LOGGING_START");
    assertThatThrownBy(() -> DmaLog.start(device, PAGE, List.of(LOW)))
        .isInstanceOf(UnsupportedByKernelException.class);
  }
}
