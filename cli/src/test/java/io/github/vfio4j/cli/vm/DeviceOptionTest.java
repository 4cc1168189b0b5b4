package io.github.vfio4j.cli.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class DeviceOptionTest {
  @Test
  void barsHaveTheirAddresses() {
    DeviceOption option = DeviceOption.parse("fd=3,bar4=0x7F80000000,unmapped=4,bar0=0xd0000000");

    assertThat(option.fixed()).isEqualTo(Map.of(0, 0xd000_0000L, 4, 0x7f_8000_0000L));
    assertThat(option.unmapped()).isEqualTo(Set.of(4));
    assertThat(DeviceOption.parse("00:05.0").fixed()).isEmpty();
  }
}
