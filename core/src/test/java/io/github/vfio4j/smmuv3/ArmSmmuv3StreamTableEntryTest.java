package io.github.vfio4j.smmuv3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ArmSmmuv3StreamTableEntryTest {

  // the specification's 5.2: V 0, Config 3:1, S1ContextPtr 51:6; S1CIR 3:2, S1COR 5:4, S1CSH 7:6
  @Test
  void hasTheBitsOfTheArchitecture() {
    assertThat(ArmSmmuv3StreamTableEntry.translate(0x8001_0040L))
        .isEqualTo(new ArmSmmuv3StreamTableEntry(0x8001_004bL, 0xd4));
    assertThat(ArmSmmuv3StreamTableEntry.bypass()).isEqualTo(new ArmSmmuv3StreamTableEntry(0x9, 0));
    assertThat(ArmSmmuv3StreamTableEntry.abort()).isEqualTo(new ArmSmmuv3StreamTableEntry(0x1, 0));
  }

  @Test
  void theKernelReadsItInLittleEndian() {
    assertThat(ArmSmmuv3StreamTableEntry.translate(0xf_1234_5678_9a40L).bytes())
        .isEqualTo(
            new byte[] {
              0x4b, (byte) 0x9a, 0x78, 0x56, 0x34, 0x12, 0xf, 0, (byte) 0xd4, 0, 0, 0, 0, 0, 0, 0
            });
  }

  @Test
  void refusesAnAddressThatHasNoPlace() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ArmSmmuv3StreamTableEntry.translate(0x8001_0020L));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ArmSmmuv3StreamTableEntry.translate(1L << 52));
    assertThatIllegalArgumentException().isThrownBy(() -> ArmSmmuv3StreamTableEntry.translate(-64));
  }
}
