package io.github.vfio4j.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import io.github.vfio4j.model.ModelHost;
import io.github.vfio4j.model.nvme.NvmeModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A disk as a channel, at any position. */
class NamespaceChannelTest {
  private static final int SIZE = 4 << 20;

  private final NvmeModel model = new NvmeModel(SIZE / 4096, 4096);
  private ModelHost host;
  private VfioDevice device;
  private NvmeController controller;
  private NamespaceChannel channel;

  @BeforeEach
  void open() throws IOException {
    host = ModelHost.of(model);
    device = host.open();
    controller = NvmeController.start(device);
    channel = controller.open(controller.namespace(1));
  }

  @AfterEach
  void close() throws IOException {
    channel.close();
    controller.close();
    device.close();
    host.close();
  }

  private static byte[] bytes(int count, int seed) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Against an array: parts of blocks, whole ones, and more than one command moves. */
  @Test
  void isLikeAnArrayOfBytes() throws IOException {
    byte[] expected = new byte[SIZE];
    Random random = new Random(3);
    for (int i = 0; i < 60; i++) {
      int at = random.nextInt(SIZE);
      int count = Math.min(SIZE - at, 1 + random.nextInt(i % 3 == 0 ? 1 << 20 : 10_000));
      byte[] written = bytes(count, i);
      ByteBuffer source = i % 2 == 0 ? ByteBuffer.wrap(written) : direct(written);
      assertThat(channel.position(at).write(source)).isEqualTo(count);
      assertThat(source.hasRemaining()).isFalse();
      assertThat(channel.position()).isEqualTo(at + count);
      System.arraycopy(written, 0, expected, at, count);
    }
    channel.force();
    ByteBuffer all = ByteBuffer.allocate(SIZE + 5);
    channel.position(0);
    assertThat(channel.read(all)).isEqualTo(SIZE);
    assertThat(channel.read(all)).isEqualTo(-1);
    assertThat(all.flip()).isEqualTo(ByteBuffer.wrap(expected));
  }

  private static ByteBuffer direct(byte[] bytes) {
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  @Test
  void endsWhereTheNamespaceEnds() throws IOException {
    assertThat(channel.size()).isEqualTo(SIZE);
    channel.position(SIZE - 3);
    ByteBuffer source = ByteBuffer.wrap(bytes(10, 1));

    assertThat(channel.write(source)).isEqualTo(3);
    assertThat(source.remaining()).isEqualTo(7);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> channel.write(source))
        .withMessageContaining("ends at byte " + SIZE);
    assertThatThrownBy(() -> channel.truncate(0)).isInstanceOf(UnsupportedOperationException.class);
  }

  /** Or what is written next would go where the one before was to go, or nowhere. */
  @Test
  void callAfterOneThatFailedIsItsOwn() throws IOException {
    byte[] first = bytes(512, 1);
    byte[] second = bytes(512, 2);
    channel.position(0).write(ByteBuffer.wrap(first));
    model.faults().answerAnother();
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> channel.position(0).read(ByteBuffer.allocate(512)))
        .withMessageContaining("a command that was not under way");
    controller.reset(); // or it would be waited for first, and aborted

    channel.position(1024).write(ByteBuffer.wrap(second));

    ByteBuffer read = ByteBuffer.allocate(512);
    channel.position(1024).read(read);
    assertThat(read.array()).isEqualTo(second);
    read.clear();
    channel.position(0).read(read);
    assertThat(read.array()).isEqualTo(first);
  }

  @Test
  void writingFarBeyondTheEndIsRefused() throws IOException {
    channel.position(SIZE + 0xFFFF_FFFFL);
    assertThatExceptionOfType(IOException.class)
        .isThrownBy(() -> channel.write(ByteBuffer.wrap(bytes(10, 1))))
        .withMessageContaining("ends at byte " + SIZE);
  }

  /** The least that a controller can say that a command moves is two pages. */
  @Test
  void whatACommandDoesNotMoveIsSplit() throws IOException {
    NvmeModel small = new NvmeModel(1024, 512).withMaximumTransfer(8192);
    try (ModelHost other = ModelHost.of(small);
        VfioDevice smallDevice = other.open();
        NvmeController smallOne = NvmeController.start(smallDevice)) {
      assertThat(smallOne.identity().maximumTransfer()).isEqualTo(8192);
      try (NamespaceChannel parts = smallOne.open(smallOne.namespace(1))) {
        byte[] written = bytes(100_000, 1);
        assertThat(parts.position(700).write(ByteBuffer.wrap(written))).isEqualTo(written.length);
        assertThat(smallOne.health().writes().intValue())
            .isEqualTo(13); // the first one begins within a block
        ByteBuffer read = ByteBuffer.allocate(written.length);
        assertThat(parts.position(700).read(read)).isEqualTo(written.length);
        assertThat(read.array()).isEqualTo(written);
      }
      assertThatExceptionOfType(VfioException.class)
          .isThrownBy(() -> smallOne.open(new Namespace(1, 4, 16384)))
          .withMessageContaining("blocks have 16384 bytes, and a command moves up to 8192");
    }
  }

  @Test
  void failureHasItsStatus() {
    model.faults().fail(0x281);

    assertThatExceptionOfType(NvmeException.class)
        .isThrownBy(() -> channel.read(ByteBuffer.allocate(10)))
        .withMessageContaining("Unrecovered Read Error")
        .satisfies(failure -> assertThat(failure.status().type()).isEqualTo(2));
  }

  @Test
  void closedChannelSaysSo() throws IOException {
    channel.close();
    channel.close();

    assertThat(channel.isOpen()).isFalse();
    assertThatExceptionOfType(ClosedChannelException.class)
        .isThrownBy(() -> channel.read(ByteBuffer.allocate(1)));
    assertThat(controller.createQueuePair(1)).hasToString("queue pair 1 of " + controller);
  }
}
