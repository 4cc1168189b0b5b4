package io.github.vfio4j.vmm.passthrough;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import org.junit.jupiter.api.Test;

class ConfigOverlayTest {
  private final MemoryRegion real = new MemoryRegion(256);
  private final ConfigOverlay config = new ConfigOverlay(real);

  @Test
  void whatIsNotKeptIsTheDevices() throws VfioException {
    real.bytes().put(0x40, (byte) 0x12);
    assertThat(config.read(0x40, 1)).isEqualTo(0x12);

    config.write(0x42, 2, 0xbeef);

    assertThat(real.bytes().getShort(0x42)).isEqualTo((short) 0xbeef);
    assertThat(config.read(0x40, 4)).isEqualTo(0xbeef_0012);
  }

  @Test
  void guestChangesOfWhatIsKeptOnlyWhatItMay() throws VfioException {
    config.keep(0x10, 4, -1, 0x8, 0xffff_f000);

    config.write(0x10, 4, -1);
    assertThat(config.read(0x10, 4)).isEqualTo(0xffff_f008);
    config.write(0x11, 1, 0x20);
    assertThat(config.read(0x10, 4)).isEqualTo(0xffff_2008);

    assertThat(real.bytes().getInt(0x10)).isZero();
    config.reset();
    assertThat(config.read(0x10, 4)).isEqualTo(8);
  }

  @Test
  void bitsBesideThoseKeptGoThroughAndTheOthersStayInTheDevice() throws VfioException {
    real.bytes().putShort(4, (short) 0x0002);
    config.keep(4, 2, 3, 0, 3);

    config.write(4, 2, 0x0405);

    assertThat(real.bytes().getShort(4)).isEqualTo((short) 0x0406);
    assertThat(config.read(4, 2)).isEqualTo(0x0405);
    assertThat(config.value(4, 2) & 3).isEqualTo(1);
  }

  @Test
  void beyondTheDevicesSpaceAreZeros() throws VfioException {
    config.write(0x100, 4, -1);

    assertThat(config.read(0x100, 4)).isZero();
  }
}
