package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Waiting for registers and for memory ends when it shall, and always. */
@Timeout(30)
class BitsWaitTest {
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Duration FOREVER = Duration.ofSeconds(Long.MAX_VALUE);

  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private MappedRegion registers;
  private DmaSlice memory;

  @BeforeEach
  void open() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    registers = device.region(0).map();
    memory = device.addressSpace().allocate(4096).slice(0, 64);
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  private static Thread later(Runnable change) {
    return Thread.ofPlatform()
        .start(
            () -> {
              try {
                Thread.sleep(SHORT);
                change.run();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
  }

  @Test
  void whatTheDeviceDoesLaterIsSeen() throws Exception {
    Thread first = later(() -> registers.setInt(8, 0x8000_0005));
    assertThat(registers.awaitInt(8, 0x8000_0001, 0x8000_0001, FOREVER)).isEqualTo(0x8000_0005);
    first.join();

    Thread second = later(() -> memory.setLongRelease(8, -1));
    assertThat(memory.awaitLong(8, 1L << 63, 1L << 63, LONG)).isEqualTo(-1);
    second.join();
  }

  @Test
  void everyWidthLooksAtItsOwnBitsOnly() throws VfioException {
    registers.setLong(0, 0x1122_3344_5566_f788L);
    memory.setLong(0, 0x1122_3344_5566_f788L);

    assertThat(registers.awaitByte(1, 0xf0, 0xf0, SHORT)).isEqualTo((byte) 0xf7);
    assertThat(registers.awaitShort(0, 0xffff, 0xf788, SHORT)).isEqualTo((short) 0xf788);
    assertThat(registers.awaitInt(4, -1, 0x1122_3344, SHORT)).isEqualTo(0x1122_3344);
    assertThat(registers.awaitLong(0, 0xff, 0x88, SHORT)).isEqualTo(0x1122_3344_5566_f788L);
    assertThat(memory.awaitByte(1, 0xf0, 0xf0, SHORT)).isEqualTo((byte) 0xf7);
    assertThat(memory.awaitShort(0, 0xffff, 0xf788, SHORT)).isEqualTo((short) 0xf788);
    assertThat(memory.awaitInt(4, -1, 0x1122_3344, SHORT)).isEqualTo(0x1122_3344);
    assertThat(device.region(0).awaitByte(1, 0xff, 0, SHORT)).isZero();
    assertThat(device.region(0).awaitShort(2, 0xffff, 0, SHORT)).isZero();
    assertThat(device.region(0).awaitInt(4, -1, 0, SHORT)).isZero();
    assertThat(device.region(0).awaitLong(8, -1, 0, SHORT)).isZero();
  }

  @Test
  void aDeviceThatDoesNothingIsAnException() {
    registers.setInt(0x1c, 0x8000_0002);
    long start = System.nanoTime();

    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> registers.awaitInt(0x1c, 1, 1, SHORT))
        .withMessageContaining("region 0 of 0000:00:05.0")
        .withMessageContaining("32 bits at 0x1c should be 0x00000001 under the mask 0x00000001")
        .withMessageContaining("were 0x80000002 after")
        .withMessageNotContaining("gone");

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(SHORT, LONG);
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> device.region(3).awaitShort(2, 1, 1, SHORT))
        .withMessageContaining("wait on region 3 of 0000:00:05.0: the 16 bits at 0x2");
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> memory.awaitLong(8, 1, 1, Duration.ZERO))
        .withMessageContaining("DMA memory at IOVA");
  }

  @Test
  void allOnesAreExplainedWhereARegisterIsRead() {
    registers.setInt(0, -1);
    memory.setInt(0, -1);

    assertThatThrownBy(() -> registers.awaitInt(0, 2, 0, SHORT))
        .hasMessageContaining("a device that has gone reads as all ones");
    assertThatThrownBy(() -> memory.awaitInt(0, 2, 0, SHORT)).hasMessageNotContaining("gone");
  }

  @Test
  void theLastLookIsAfterTheTimeoutHoweverLongOneTakes() throws VfioException {
    BitsWait wait = new BitsWait(Integer.SIZE, 1, 1, SHORT);
    AtomicInteger looks = new AtomicInteger();

    long seen =
        wait.onMemory(
            "memory",
            0,
            () -> {
              LockSupport.parkNanos(SHORT.toNanos() * 2);
              return looks.getAndIncrement();
            });

    assertThat(seen).isOne();
  }

  @Test
  void zeroOnlyLooks() throws VfioException {
    registers.setInt(0, 1);

    assertThat(registers.awaitInt(0, 1, 1, Duration.ZERO)).isOne();
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> registers.awaitInt(0, 1, 0, Duration.ZERO));
  }

  @Test
  void anInterruptedThreadWaitsNoLongerAndStaysInterrupted() throws VfioException {
    Thread.currentThread().interrupt();

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> registers.awaitInt(0, 1, 1, FOREVER))
        .isNotInstanceOf(DeviceTimeoutException.class)
        .withMessageContaining("the thread was interrupted");

    registers.setInt(0, 1);
    assertThat(registers.awaitInt(0, 1, 1, FOREVER)).isOne();
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void whoClosesWhatIsWaitedForEndsTheWait() throws Exception {
    Thread closer =
        later(
            () -> {
              try {
                registers.close();
              } catch (VfioException e) {
                throw new IllegalStateException(e);
              }
            });

    assertThatIllegalStateException().isThrownBy(() -> registers.awaitInt(0, 1, 1, LONG));

    closer.join();
  }

  @Test
  void whatCanNeverBeSeenIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> registers.awaitInt(0, 1, 3, LONG))
        .withMessageContaining("value 0x3 has bits outside the mask 0x1");
    assertThatIllegalArgumentException().isThrownBy(() -> registers.awaitInt(0, 0, 0, LONG));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.awaitByte(0, 0x100, 0, LONG))
        .withMessageContaining("some of the 8 bits and no others: 0x100");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.awaitShort(0, -1, 0, LONG))
        .withMessageContaining("some of the 16 bits");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> memory.awaitLong(0, 1, 1, Duration.ofNanos(-1)))
        .withMessageContaining("timeout must not be negative");
  }
}
