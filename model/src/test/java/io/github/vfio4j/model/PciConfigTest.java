package io.github.vfio4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.ConfigSpace;
import io.github.vfio4j.Region;
import io.github.vfio4j.VfioDevice;
import io.github.vfio4j.VfioException;
import org.junit.jupiter.api.Test;

/** The configuration space is what its layout says, and what the PCI specification wants. */
class PciConfigTest {
  private interface Look {
    void at(VfioDevice device) throws VfioException;
  }

  private static void look(PciLayout.Builder layout, Look look) throws VfioException {
    try (ModelHost host = ModelHost.of(new Scratch(layout));
        VfioDevice device = host.open()) {
      look.at(device);
    }
  }

  @Test
  void identifiesTheDevice() throws VfioException {
    look(
        PciLayout.of(0x1234, 0xfedc).classCode(0x010802).revision(7).subsystem(0xaaaa, 0xbbbb),
        device -> {
          Region config = device.pci().config().region();
          assertThat(config.size()).isEqualTo(256);
          assertThat(config.readInt(0)).isEqualTo(0xfedc1234);
          assertThat(config.readInt(8)).isEqualTo(0x01080207);
          assertThat(config.readInt(0x2c)).isEqualTo(0xbbbbaaaa);
          config.writeInt(0, 0);
          assertThat(config.readShort(0)).isEqualTo((short) 0x1234);
        });
  }

  @Test
  void barsTellTheirSizesToWhoWritesOnes() throws VfioException {
    look(
        Scratch.plain().bar(4, Bar.memory(1L << 33)),
        device -> {
          Region config = device.pci().config().region();
          config.writeInt(0x10, -1);
          assertThat(config.readInt(0x10)).isEqualTo(-4096);
          config.writeInt(0x18, -1);
          assertThat(config.readInt(0x18)).isEqualTo(-8192);
          config.writeLong(0x20, -1);
          assertThat(config.readLong(0x20)).isEqualTo(-(1L << 33) | 4);
          config.writeInt(0x14, -1);
          assertThat(config.readInt(0x14)).isZero();
        });
  }

  @Test
  void capabilitiesAreListed() throws VfioException {
    look(
        Scratch.plain()
            .msi(8)
            .capability(0x09, new byte[] {6, 1, 2, 3})
            .extendedCapability(0x03, 1, new byte[8])
            .extendedCapability(0x0b, 1, new byte[4]),
        device -> {
          ConfigSpace config = device.pci().config();
          assertThat(config.region().size()).isEqualTo(4096);
          assertThat(config.capabilities())
              .extracting(ConfigSpace.Capability::id)
              .containsExactly(0x05, 0x11, 0x09, 0x10);
          assertThat(config.extendedCapabilities())
              .extracting(ConfigSpace.Capability::id)
              .containsExactly(0x03, 0x0b);
          int msix = config.capabilities().get(1).offset();
          assertThat(config.region().readShort(msix + 2)).isEqualTo((short) 3);
          assertThat(config.region().readInt(msix + 4)).isEqualTo(0x800);
          assertThat(device.pci().msi().count()).isEqualTo(8);
          assertThat(device.pci().msix().count()).isEqualTo(4);
        });
  }

  @Test
  void theRomIsReadAndNotWritten() throws VfioException {
    look(
        PciLayout.of(1, 2).rom(new byte[] {0x55, (byte) 0xaa}),
        device -> {
          Region rom = device.pci().rom();
          assertThat(rom.size()).isEqualTo(2048);
          assertThat(rom.readShort(0)).isEqualTo((short) 0xaa55);
          assertThat(rom.readByte(2)).isEqualTo((byte) -1);
          assertThat(rom.info().writable()).isFalse();
          assertThat(rom.info().mappable()).isFalse();
        });
  }

  @Test
  void whatIsNoLayoutIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> PciLayout.of(0x10000, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> Bar.memory(100));
    assertThatIllegalArgumentException().isThrownBy(() -> PciLayout.of(1, 2).msi(3));
    assertThatIllegalArgumentException().isThrownBy(() -> PciLayout.of(1, 2).msix(0, 0, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PciLayout.of(1, 2).bar(6, Bar.memory(4096)));
  }
}
