package io.github.vfio4j.kerneltests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.vfio4j.NoSuchDeviceException;
import io.github.vfio4j.PciAddress;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.lab.OnMachine;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Loads what most tests use, so that it is in the class cache of the guests' JVMs. */
@OnMachine(OnMachine.TRAINING)
class TrainingTest {
  @Test
  void loadsAssertions() {
    assertThat(List.of("a", "b")).hasSize(2).containsExactly("a", "b");
    assertThat(Map.of("a", 1)).containsEntry("a", 1);
    assertThat(new byte[] {1, 2}).isEqualTo(new byte[] {1, 2});
    assertThat(3L).isBetween(1L, 5L);
    assertThatThrownBy(() -> assertThat(true).isFalse())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("false");
  }

  @Test
  void loadsTheLibrary() {
    assertThatThrownBy(() -> VfioDevice.open(PciAddress.of("ffff:ff:1f.7")))
        .isInstanceOf(NoSuchDeviceException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void loadsParameterizedTests(int value) {
    assertThat(value).isPositive();
  }

  @Nested
  class Inner {
    @Test
    void loadsNestedTests() {
      assertThat(TrainingTest.this).isNotNull();
    }
  }
}
