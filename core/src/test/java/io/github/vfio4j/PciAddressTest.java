package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PciAddressTest {

  @Test
  void readsWhatTheKernelAndLspciWrite() {
    assertThat(PciAddress.of("0000:00:05.0")).isEqualTo(new PciAddress(0, 0, 5, 0));
    assertThat(PciAddress.of("00:05.0")).isEqualTo(new PciAddress(0, 0, 5, 0));
    assertThat(PciAddress.of("ABcd:eF:1f.7")).isEqualTo(new PciAddress(0xabcd, 0xef, 31, 7));
    assertThat(PciAddress.of("10000:01:00.0")).isEqualTo(new PciAddress(0x10000, 1, 0, 0));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0000:00:05.0", "abcd:ef:1f.7", "10000:01:00.0", "7fffffff:ff:00.3"})
  void writesWhatTheKernelWrites(String text) {
    assertThat(PciAddress.of(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "5",
        "00:05",
        "00:05.8",
        "00:20.0",
        "0:00:05.0",
        "0000:00:05.0 ",
        "80000000:00:00.0",
        "0000:0000:05.0",
        "../00:05.0",
        "00:05.0\n",
        "000:00:05.0",
        "0000-00-05.0"
      })
  void refusesJunkAndShowsWhatAnAddressLooksLike(String junk) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PciAddress.of(junk))
        .withMessageContaining('"' + junk + '"')
        .withMessageContaining("0000:00:05.0");
  }

  @Test
  void refusesPartsThatNoBusHas() {
    assertThatIllegalArgumentException().isThrownBy(() -> new PciAddress(-1, 0, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new PciAddress(0, 256, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new PciAddress(0, 0, 32, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new PciAddress(0, 0, 0, 8));
  }

  @Test
  void sortsByDomainBusDeviceAndFunction() {
    assertThat(
            Stream.of("10000:00:00.0", "0000:01:00.0", "0000:00:1f.0", "0000:00:02.1", "00:02.0")
                .map(PciAddress::of)
                .sorted())
        .extracting(PciAddress::toString)
        .containsExactly(
            "0000:00:02.0", "0000:00:02.1", "0000:00:1f.0", "0000:01:00.0", "10000:00:00.0");
  }
}
