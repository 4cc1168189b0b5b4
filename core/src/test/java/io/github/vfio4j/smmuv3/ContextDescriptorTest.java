package io.github.vfio4j.smmuv3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class ContextDescriptorTest {
  private static final int SIZE = 64;

  private final MemorySegment memory = Arena.ofAuto().allocate(3 * SIZE, SIZE);

  private long[] words(long offset) {
    return memory.asSlice(offset, SIZE).toArray(ValueLayout.JAVA_LONG);
  }

  // the specification's 5.4: T0SZ 5:0, TG0 7:6, IR0 9:8, OR0 11:10, SH0 13:12, EPD1 30, V 31, IPS
  // 34:32, AA64 41, R 45, A 46, ASET 47, ASID 63:48; TTB0 in the second word, MAIR in the fourth
  @Test
  void hasTheBitsOfTheArchitecture() {
    memory.fill((byte) -1);

    new ContextDescriptor(0x8000_1000L, 39, 1).write(memory, SIZE);

    assertThat(words(SIZE))
        .containsExactly(0x0001_e205_c000_3519L, 0x8000_1000L, 0, 0x04ff, 0, 0, 0, 0);
    assertThat(words(0)).containsOnly(-1);
    assertThat(words(2 * SIZE)).containsOnly(-1);
  }

  @Test
  void hasTheNumbersOfTheTables() {
    MemorySegment pages = Arena.ofAuto().allocate(0x2000, 0x1000);

    ContextDescriptor.of(new Stage1Tables(pages, 0x9000_0000L, 48), 0xffff).write(memory, 0);

    assertThat(words(0))
        .containsExactly(0xffff_e205_c000_3510L, 0x9000_0000L, 0, 0x04ff, 0, 0, 0, 0);
  }

  @Test
  void isInvalidOnceItIsCleared() {
    new ContextDescriptor(0x8000_1000L, 25, 0).write(memory, 0);
    assertThat(words(0)[0]).isEqualTo(0x0000_e205_c000_3527L);

    ContextDescriptor.clear(memory, 0);

    assertThat(words(0)[0]).isZero();
  }

  @Test
  void refusesNumbersThatHaveNoPlace() {
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(0x1008, 39, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(1L << 48, 39, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(-4096, 39, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(0, 24, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(0, 49, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(0, 39, 1 << 16));
    assertThatIllegalArgumentException().isThrownBy(() -> new ContextDescriptor(0, 39, -1));
  }

  @Test
  void refusesMemoryThatItDoesNotFitInto() {
    ContextDescriptor descriptor = new ContextDescriptor(0, 39, 0);

    assertThatIllegalArgumentException().isThrownBy(() -> descriptor.write(memory, 8));
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> descriptor.write(memory, 3 * SIZE));
    assertThatIllegalArgumentException().isThrownBy(() -> ContextDescriptor.clear(memory, 8));
    assertThat(memory.toArray(ValueLayout.JAVA_LONG)).containsOnly(0);
  }
}
