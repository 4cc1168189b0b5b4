package io.github.vfio4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class IovaRangeTest {

  private static final IovaRange TOP = new IovaRange(0xffff_ffff_0000_0000L, -1);

  @Test
  void addressesAreUnsigned() {
    assertThat(TOP.contains(-1)).isTrue();
    assertThat(TOP.contains(0xffff_ffff_0000_0000L)).isTrue();
    assertThat(TOP.contains(0xffff_fffe_ffff_ffffL)).isFalse();
    assertThat(TOP.contains(0)).isFalse();
    assertThat(new IovaRange(0, -1).contains(Long.MIN_VALUE)).isTrue();
  }

  @Test
  void rangesWithOneCommonAddressOverlap() {
    IovaRange low = new IovaRange(0x1000, 0x2000);
    assertThat(low.overlaps(new IovaRange(0x2000, 0x3000))).isTrue();
    assertThat(low.overlaps(new IovaRange(0, 0x1000))).isTrue();
    assertThat(low.overlaps(new IovaRange(0, -1))).isTrue();
    assertThat(low.overlaps(new IovaRange(0x2001, -1))).isFalse();
    assertThat(low.overlaps(TOP)).isFalse();
  }

  @Test
  void aRangeContainsAnotherWhenBothEndsAreInside() {
    IovaRange low = new IovaRange(0x1000, 0x2000);
    assertThat(low.contains(low)).isTrue();
    assertThat(low.contains(new IovaRange(0x1001, 0x2001))).isFalse();
    assertThat(new IovaRange(0, -1).contains(TOP)).isTrue();
  }

  @Test
  void anEmptyRangeIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IovaRange(-1, 0))
        .withMessageContaining("0xffffffffffffffff-0x0");
  }

  @Test
  void printsInHexadecimal() {
    assertThat(new IovaRange(0xfee0_0000L, -1)).hasToString("0xfee00000-0xffffffffffffffff");
  }
}
