package io.github.vfio4j.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.IovaRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "4096, 4096",
    "3K, 3072",
    "2M, 2097152",
    "1G, 1073741824",
    "8589934591G, 9223372035781033984"
  })
  void isReadAsPeopleWriteIt(String typed, long bytes) {
    assertThat(Size.parse(typed)).hasValue(bytes);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "M", "1X", "1m", "1 M", "-1", "1.5G", "8589934592G", "9999999999999999999"})
  void whatIsNoAmountIsNotRead(String typed) {
    assertThat(Size.parse(typed)).isEmpty();
  }
}
