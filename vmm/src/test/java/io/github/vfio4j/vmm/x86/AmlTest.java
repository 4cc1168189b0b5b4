package io.github.vfio4j.vmm.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The bytes are put together by the tables of ACPI's specification (20.2, 6.4). */
class AmlTest {
  private static String hex(Aml written) {
    return HexFormat.of().formatHex(written.bytes());
  }

  @Test
  void namesNumbersAndPackages() {
    assertThat(hex(new Aml().name("_BBN", 7))).isEqualTo("08" + "5f42424e" + "0a07");
    assertThat(hex(new Aml().name("_UID", 0x12345678))).isEqualTo("08" + "5f554944" + "0c78563412");
    assertThat(hex(new Aml().name("_S5_", 5, 5)))
        .isEqualTo("08" + "5f53355f" + "12" + "4700" + "02" + "0a05" + "0a05");
  }

  @Test
  void identityIsPackedAsEisaDoes() {
    assertThat(hex(new Aml().identity("_HID", "PNP0A08")))
        .isEqualTo("08" + "5f484944" + "0c41d00a08");
  }

  @Test
  void devicesLieInScopes() {
    assertThat(hex(new Aml().scope("_SB_", new Aml().device("PCI0", new Aml().name("_SEG", 0)))))
        .isEqualTo(
            "10" + "4501" + "5f53425f" + "5b82" + "4d00" + "50434930" + "08" + "5f534547" + "0a00");
  }

  @Test
  void resourcesHaveTheirWidths() {
    assertThat(hex(new Aml().resources("_CRS", new Resources().memory(0xc000_0000L, 0xdfff_ffffL))))
        .isEqualTo(
            "08"
                + "5f435253"
                + "11"
                + "4002"
                + "0a1c"
                + "871700"
                + "000c01"
                + "00000000"
                + "000000c0"
                + "ffffffdf"
                + "00000000"
                + "00000020"
                + "7900");
    assertThat(new Resources().memory(1L << 38, (1L << 39) - 1).bytes()).hasSize(46);
    assertThat(HexFormat.of().formatHex(new Resources().ports(0xc000, 0xffff).bytes()))
        .isEqualTo("880d00" + "010c03" + "0000" + "00c0" + "ffff" + "0000" + "0040");
    assertThat(HexFormat.of().formatHex(new Resources().own(0xe000_0000L, 1 << 20).bytes()))
        .isEqualTo("860900" + "01" + "000000e0" + "00001000");
  }
}
