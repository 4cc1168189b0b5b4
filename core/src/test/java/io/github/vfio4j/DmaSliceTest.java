package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.vfio4j.fake.FakeMachine;
import java.nio.file.Path;
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
}
