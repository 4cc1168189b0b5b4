package io.github.vfio4j.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.IovaRange;
import org.junit.jupiter.api.Test;

class SizeTest {

  @Test
  void usesTheLargestUnitThatIsFilled() {
    assertThat(Size.of(0)).isEqualTo("0 B");
    assertThat(Size.of(1023)).isEqualTo("1023 B");
    assertThat(Size.of(1024)).isEqualTo("1 KiB");
    assertThat(Size.of(1 << 20)).isEqualTo("1 MiB");
    assertThat(Size.of(256L << 30)).isEqualTo("256 GiB");
  }

  @Test
  void isExactWhereFourDigitsDo() {
    assertThat(Size.of(1536)).isEqualTo("1536 B");
    assertThat(Size.of((1L << 40) - (1 << 30))).isEqualTo("1023 GiB");
    assertThat(Size.of(9999L << 10)).isEqualTo("9999 KiB");
  }

  @Test
  void showsOneDecimalElse() {
    assertThat(Size.of((16L << 20) + 4096)).isEqualTo("16.0 MiB");
    assertThat(Size.of((16L << 20) + (900 << 10))).isEqualTo("16.9 MiB");
  }

  @Test
  void countsUnsignedRangesToTheWholeAddressSpace() {
    assertThat(Size.of(new IovaRange(0, 0xfedfffffL))).isEqualTo("4078 MiB");
    assertThat(Size.of(new IovaRange(0, -1))).isEqualTo("16 EiB");
    assertThat(Size.of(new IovaRange(-4096, -1))).isEqualTo("4 KiB");
  }
}
