package io.github.vfio4j.vmm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeviceSetupTest {
  private final DeviceSetup device = DeviceSetup.passed("edu", 0);

  @Test
  void fixedBarsAreAddedAndStay() {
    DeviceSetup fixed = device.fixedBar(0, 0xd000_0000L).fixedBar(2, 1L << 38);

    assertThat(fixed.slot(3).unmapped(Set.of(0)).memoryNodes(1).fixedBars())
        .isEqualTo(Map.of(0, 0xd000_0000L, 2, 1L << 38));
    assertThat(device.fixedBars()).isEmpty();
  }

  @Test
  void barThatNoDeviceHasIsRefused() {
    assertThatThrownBy(() -> device.fixedBar(6, 0xd000_0000L))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("BARs are 0 to 5, not 6");
    assertThatThrownBy(() -> device.fixedBar(-1, 0xd000_0000L))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> device.fixedBar(0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("BAR 0 cannot be at 0x0");
  }
}
