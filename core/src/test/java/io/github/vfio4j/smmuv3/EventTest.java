package io.github.vfio4j.smmuv3;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The specification's 7.3: id 7:0, SSV 11, SubstreamID 31:12, StreamID 63:32; Stall 31, PnU 33, InD
 * 34, RnW 35, S2 39, CLASS 41:40 of the second word; the address; IPA 51:12 of the fourth.
 */
class EventTest {

  @Test
  void aReadOfAnUnmappedAddress() {
    Event event = new Event(0x0000_0028_0000_0010L, 0x0000_0208_0000_0000L, 0x1234_5678L, 0);

    assertThat(event.reason()).isEqualTo(EventReason.F_TRANSLATION);
    assertThat(event.id()).isEqualTo(0x10);
    assertThat(event.stream()).isEqualTo(0x28);
    assertThat(event.substream()).isEmpty();
    assertThat(event.address()).hasValue(0x1234_5678L);
    assertThat(event.read()).isTrue();
    assertThat(event.write()).isFalse();
    assertThat(event.instruction()).isFalse();
    assertThat(event.privileged()).isFalse();
    assertThat(event.stalled()).isFalse();
    assertThat(event.eventClass()).contains(EventClass.INPUT);
    assertThat(event.intermediateAddress()).isEmpty();
    assertThat(event).hasToString("F_TRANSLATION of stream 0x28: read at 0x12345678");
  }

  @Test
  void aPrivilegedWriteOfASubstreamThatTheSecondStageRefuses() {
    Event event =
        new Event(0xffff_ffff_abcd_e813L, 0x0000_0182_8000_0000L, 0x1000, 0x000f_0000_4000_5abcL);

    assertThat(event.reason()).isEqualTo(EventReason.F_PERMISSION);
    assertThat(event.stream()).isEqualTo(0xffff_ffffL);
    assertThat(event.substream()).hasValue(0xabcde);
    assertThat(event.write()).isTrue();
    assertThat(event.read()).isFalse();
    assertThat(event.privileged()).isTrue();
    assertThat(event.stalled()).isTrue();
    assertThat(event.eventClass()).contains(EventClass.TABLE);
    assertThat(event.intermediateAddress()).hasValue(0x000f_0000_4000_5000L);
    assertThat(event)
        .hasToString("F_PERMISSION of stream 0xffffffff substream 0xabcde: write at 0x1000");
  }

  @Test
  void aFetchOfAnInstruction() {
    Event event = new Event(0x12, 0x0000_000c_0000_0000L, 0, 0);

    assertThat(event.reason()).isEqualTo(EventReason.F_ACCESS);
    assertThat(event.instruction()).isTrue();
    assertThat(event.eventClass()).contains(EventClass.CONTEXT_DESCRIPTOR);
  }

  @Test
  void anEventOfNoAddressHasOnlyItsStream() {
    Event event = new Event(0x0000_0028_0000_000aL, -1, -1, -1);

    assertThat(event.reason()).isEqualTo(EventReason.C_BAD_CD);
    assertThat(event.stream()).isEqualTo(0x28);
    assertThat(event.address()).isEmpty();
    assertThat(event.read()).isFalse();
    assertThat(event.write()).isFalse();
    assertThat(event.instruction()).isFalse();
    assertThat(event.privileged()).isFalse();
    assertThat(event.stalled()).isFalse();
    assertThat(event.eventClass()).isEmpty();
    assertThat(event.intermediateAddress()).isEmpty();
    assertThat(event).hasToString("C_BAD_CD of stream 0x28");
  }

  @ParameterizedTest
  @CsvSource({
    "0x04, C_BAD_STE",
    "0x06, F_STREAM_DISABLED",
    "0x08, C_BAD_SUBSTREAMID",
    "0x0a, C_BAD_CD",
    "0x10, F_TRANSLATION",
    "0x11, F_ADDR_SIZE",
    "0x12, F_ACCESS",
    "0x13, F_PERMISSION",
    "0x00, UNKNOWN",
    "0x14, UNKNOWN",
    "0xff, UNKNOWN"
  })
  void theNumberSaysTheReason(int id, EventReason reason) {
    Event event = new Event(id | 0xffff_ffff_0000_0000L, 0, 0, 0);

    assertThat(event.reason()).isEqualTo(reason);
    assertThat(event.id()).isEqualTo(id);
    assertThat(event.toString())
        .startsWith(reason == EventReason.UNKNOWN ? "event 0x%x".formatted(id) : reason.name());
  }
}
