package io.github.vfio4j.kerneltests;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The power of the slot of {@link HotPort}, by the registers of its port. */
record SlotPower(FileChannel config, int control) implements AutoCloseable {
  private static final int CAPABILITIES = 0x34;
  private static final int EXPRESS = 0x10;
  private static final int SLOT_CONTROL = 0x18;
  private static final int POWER_OFF = 1 << 10;

  static SlotPower open() throws IOException {
    FileChannel config =
        FileChannel.open(
            Path.of("/sys/bus/pci/devices", Device.HOT_PORT.address().toString(), "config"),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    int at = read(config, CAPABILITIES) & 0xff;
    while ((read(config, at) & 0xff) != EXPRESS) {
      at = read(config, at) >> 8 & 0xff;
    }
    return new SlotPower(config, at + SLOT_CONTROL);
  }

  private static int read(FileChannel config, int at) throws IOException {
    ByteBuffer word = ByteBuffer.allocate(Short.BYTES).order(LITTLE_ENDIAN);
    assertThat(config.read(word, at)).isEqualTo(Short.BYTES);
    return Short.toUnsignedInt(word.getShort(0));
  }

  void turn(boolean on) throws IOException {
    int now = read(config, control);
    ByteBuffer word = ByteBuffer.allocate(Short.BYTES).order(LITTLE_ENDIAN);
    word.putShort(0, (short) (on ? now & ~POWER_OFF : now | POWER_OFF));
    assertThat(config.write(word, control)).isEqualTo(Short.BYTES);
  }

  @Override
  public void close() throws IOException {
    turn(true);
    config.close();
  }
}
