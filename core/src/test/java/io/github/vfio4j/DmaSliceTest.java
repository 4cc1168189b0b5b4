package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.fake.FakeMachine;
import io.github.vfio4j.mapping.AllocatedMemory;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parts of a buffer, which know where the device sees them. */
class DmaSliceTest {
  private static final long SIZE = 8192;

  @TempDir Path root;
  private FakeMachine machine;
  private VfioDevice device;
  private DmaBuffer buffer;

  @BeforeEach
  void allocate() throws VfioException {
    machine = new FakeMachine(root);
    device = machine.open(Backend.IOMMUFD);
    buffer = device.addressSpace().allocate(SIZE);
  }

  @AfterEach
  void close() throws VfioException {
    device.close();
    assertThat(machine.kernel.leftOpen()).isEmpty();
  }

  @Test
  void aSliceIsTheBuffersMemoryAtItsOwnIova() {
    DmaSlice second = buffer.slice(4096, 4096);
    DmaSlice entry = second.slice(64, 16);

    entry.segment().set(JAVA_BYTE, 15, (byte) 42);

    assertThat(second.iova()).isEqualTo(buffer.iova() + 4096);
    assertThat(entry.iova()).isEqualTo(buffer.iova() + 4096 + 64);
    assertThat(entry.size()).isEqualTo(16);
    assertThat(entry.segment().byteSize()).isEqualTo(16);
    assertThat(buffer.segment().get(JAVA_BYTE, 4096 + 64 + 15)).isEqualTo((byte) 42);
    assertThat(buffer.slice(0, SIZE).iova()).isEqualTo(buffer.iova());
    assertThat(buffer.slice(SIZE - 1, 1).iova()).isEqualTo(buffer.iova() + SIZE - 1);
  }

  @ParameterizedTest
  @CsvSource({
    "-1, 1",
    "0, 0",
    "0, -1",
    "8191, 2",
    "8192, 1",
    "0, 8193",
    "1, 9223372036854775807",
    "9223372036854775807, 1",
    "-9223372036854775808, 16",
  })
  void whatLiesOutsideIsRefused(long offset, long size) {
    DmaSlice whole = buffer.slice(0, SIZE);

    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> buffer.slice(offset, size))
        .withMessageContaining("of 0x2000 bytes of DMA memory at IOVA 0x%x", buffer.iova());
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> whole.slice(offset, size));
  }

  @Test
  void aSliceEndsWithItsBuffer() throws VfioException {
    DmaSlice slice = buffer.slice(64, 64);
    String name = "0x40 bytes of DMA memory at IOVA 0x%x".formatted(buffer.iova() + 64);
    assertThat(slice).hasToString(name);

    buffer.close();

    assertThatIllegalStateException().isThrownBy(() -> slice.segment().get(JAVA_BYTE, 0));
    assertThatIllegalStateException().isThrownBy(() -> slice.slice(0, 1));
    assertThatIllegalStateException()
        .isThrownBy(() -> buffer.slice(0, 1))
        .withMessageContaining("closed");
    assertThat(slice).hasToString(name + ", whose buffer is closed");
  }

  @Test
  void everyWidthIsLittleEndianAndOfItsOwnSize() {
    DmaSlice slice = buffer.slice(0, 64);
    slice.setLong(0, 0x1122334455667788L);

    assertThat(buffer.segment().get(JAVA_BYTE, 0)).isEqualTo((byte) 0x88);
    assertThat(slice.getByte(7)).isEqualTo((byte) 0x11);
    assertThat(slice.getShort(2)).isEqualTo((short) 0x5566);
    assertThat(slice.getInt(4)).isEqualTo(0x11223344);
    slice.setByte(7, (byte) 0xaa);
    slice.setShort(4, (short) 0xbbbb);
    slice.setInt(0, 0xcccccccc);
    assertThat(slice.getLong(0)).isEqualTo(0xaa22bbbbccccccccL);
    slice.setLongRelease(8, 0x1122334455667788L);
    slice.setIntRelease(16, 0x11223344);
    slice.setShortRelease(20, (short) 0x1122);
    slice.setByteRelease(22, (byte) -5);
    assertThat(buffer.segment().get(JAVA_BYTE, 8)).isEqualTo((byte) 0x88);
    assertThat(buffer.segment().get(JAVA_BYTE, 16)).isEqualTo((byte) 0x44);
    assertThat(buffer.segment().get(JAVA_BYTE, 20)).isEqualTo((byte) 0x22);
    assertThat(slice.getLongAcquire(8)).isEqualTo(0x1122334455667788L);
    assertThat(slice.getIntAcquire(16)).isEqualTo(0x11223344);
    assertThat(slice.getShortAcquire(20)).isEqualTo((short) 0x1122);
    assertThat(slice.getByteAcquire(22)).isEqualTo((byte) -5);
  }

  @Test
  void theLastBytesCanBeReachedAndNoneBeyond() {
    DmaSlice slice = buffer.slice(64, 64);

    slice.setByte(63, (byte) 1);
    assertThat(slice.getLong(56)).isEqualTo(1L << 56);

    for (ThrowingCallable access :
        List.<ThrowingCallable>of(
            () -> slice.getByte(64),
            () -> slice.getLong(60),
            () -> slice.getShortAcquire(63),
            () -> slice.setInt(-4, 0),
            () -> slice.getLongAcquire(Long.MIN_VALUE),
            () -> slice.setLongRelease(Long.MAX_VALUE - 7, 0))) {
      assertThatThrownBy(access)
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageContaining("of 0x40 bytes of DMA memory");
    }
  }

  @Test
  void accessesAreAlignedForTheDeviceWhereverTheSliceStarts() {
    DmaSlice odd = buffer.slice(2, 62);

    odd.setShort(0, (short) 7);
    odd.setLong(6, -2);
    assertThat(buffer.slice(0, 64).getLong(8)).isEqualTo(-2);

    for (ThrowingCallable access :
        List.<ThrowingCallable>of(
            () -> odd.getShort(1),
            () -> odd.getInt(0),
            () -> odd.getIntAcquire(4),
            () -> odd.setLongRelease(8, 0))) {
      assertThatThrownBy(access)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not a multiple of");
    }
  }

  @Test
  void accessAfterTheBufferWasClosedIsRefused() throws VfioException {
    DmaSlice slice = buffer.slice(0, 64);
    buffer.close();

    assertThatIllegalStateException().isThrownBy(() -> slice.getIntAcquire(0));
    assertThatIllegalStateException().isThrownBy(() -> slice.setLongRelease(0, 1));
  }

  @Test
  void accessesAllocateNothing() throws ReflectiveOperationException {
    DmaSlice slice = buffer.slice(0, 64);
    count(slice); // lets the classes be loaded and compiled

    long before = AllocatedMemory.ofThisThread();
    count(slice);
    long allocated = AllocatedMemory.ofThisThread() - before;

    assertThat(allocated).isLessThan(100_000);
  }

  private static void count(DmaSlice slice) {
    for (int i = 0; i < 100_000; i++) {
      slice.setIntRelease(0, slice.getIntAcquire(0) + 1);
      slice.setLong(8, slice.getLong(8) + 1);
    }
  }
}
