package io.github.vfio4j.config;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.DeviceTimeoutException;
import io.github.vfio4j.MappedRegion;
import io.github.vfio4j.Region;
import io.github.vfio4j.RegionInfo;
import io.github.vfio4j.VfioException;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VitalProductDataTest {
  private static final int CAPABILITY = 0x50;

  /** A device that gives a word of its data some reads after it was asked for. */
  private static final class Card implements Region {
    private final ByteBuffer config;
    private final byte[] data;
    private final int patience;
    private int left;
    private int words;

    Card(byte[] data, int patience) {
      this.config =
          ByteBuffer.wrap(new Space(256).capability(CAPABILITY, 0x0003).bytes())
              .order(ByteOrder.LITTLE_ENDIAN);
      this.data = Arrays.copyOf(data, data.length + 8);
      this.patience = patience;
    }

    @Override
    public RegionInfo info() {
      return new RegionInfo(7, 3, 256, 0, List.of());
    }

    @Override
    public void read(long offset, MemorySegment target) {
      if (offset == CAPABILITY + 2 && left > 0 && --left == 0) {
        int address = config.getShort(CAPABILITY + 2);
        config.putInt(
            CAPABILITY + 4, ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).getInt(address));
        config.putShort(CAPABILITY + 2, (short) (address | 0x8000));
        words++;
      }
      target.copyFrom(MemorySegment.ofArray(config.array()).asSlice(offset, target.byteSize()));
    }

    @Override
    public void write(long offset, MemorySegment source) {
      assertThat(offset).isEqualTo(CAPABILITY + 2);
      config.putShort(
          CAPABILITY + 2,
          source.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0));
      left = patience;
    }

    @Override
    public MappedRegion map(long offset, long size) {
      throw new UnsupportedOperationException();
    }
  }

  private static byte[] item(int tag, String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.write(tag);
    bytes.write(text.length());
    bytes.write(text.length() >>> 8);
    bytes.writeBytes(text.getBytes(ISO_8859_1));
    return bytes.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  private static final byte[] DATA =
      join(
          item(0x82, "A card"),
          item(0x90, "PN\5X-100SN\003271RV\1\u00fe"),
          item(0x91, "YA\2ok"),
          new byte[] {0x78});

  @Test
  void theDataIsReadWordByWord() throws VfioException {
    Card card = new Card(DATA, 3);

    VitalProductData data = VitalProductData.read(ConfigSpace.of(card)).orElseThrow();

    assertThat(data.name()).isEqualTo("A card");
    assertThat(data.readOnly())
        .containsEntry("PN", "X-100")
        .containsEntry("SN", "271")
        .containsEntry("RV", "\u00fe")
        .hasSize(3);
    assertThat(data.writable()).containsEntry("YA", "ok").hasSize(1);
    assertThat(card.words).isEqualTo((DATA.length + 3) / 4);
  }

  @Test
  void aDeviceThatNeverGivesAWordIsNotWaitedForLong() {
    assertThatExceptionOfType(DeviceTimeoutException.class)
        .isThrownBy(() -> VitalProductData.read(ConfigSpace.of(new Card(DATA, 1 << 30))))
        .withMessageContaining("the word at 0x0");
  }

  @Test
  void aDeviceWithoutSuchDataHasNone() throws VfioException {
    Region other = new ImageRegion("x", new Space(256).capability(0x40, 0x0005).bytes());

    assertThat(VitalProductData.read(ConfigSpace.of(other))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\u0082\377\377",
        "\u0082\2",
        "\u0090\4\0PN\11x",
        "\u0090\2\0PN",
        "\0",
        "\377\377\377"
      })
  void whatIsNoSuchDataIsRefused(String text) {
    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> VitalProductData.parse("x", text.getBytes(ISO_8859_1)))
        .withMessageContaining("makes no sense");
  }
}
