package io.github.vfio4j.linux;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class RepeatedRequestTest {
  private static final MemoryLayout LAYOUT =
      MemoryLayout.structLayout(JAVA_INT, JAVA_INT, JAVA_LONG);

  private final RepeatedRequest request = new RepeatedRequest(LAYOUT);

  @Test
  void fieldsAreThoseOfTheStructure() {
    request.setInt(4, -2);
    request.setLong(8, Long.MIN_VALUE + 3);

    MemorySegment memory = request.memory();
    assertThat(memory.byteSize()).isEqualTo(16);
    assertThat(memory.get(JAVA_INT, 0)).isEqualTo(16);
    assertThat(memory.get(JAVA_INT, 4)).isEqualTo(-2);
    assertThat(memory.get(JAVA_LONG, 8)).isEqualTo(Long.MIN_VALUE + 3);

    memory.set(JAVA_LONG, 8, 77);
    assertThat(request.getLong(8)).isEqualTo(77);
  }

  @Test
  void nothingOutsideIsReached() {
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> request.setLong(9, 0));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> request.setLong(-8, 0));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> request.setInt(16, 0));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> request.getLong(Long.MAX_VALUE));
  }
}
