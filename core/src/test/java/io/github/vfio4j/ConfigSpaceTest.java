package io.github.vfio4j;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.vfio4j.ConfigSpace.Capability;
import io.github.vfio4j.ConfigSpace.CapabilityId;
import io.github.vfio4j.ConfigSpace.ExtendedCapabilityId;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Capabilities are found in lists that devices write, however bad those are. */
class ConfigSpaceTest {
  /** A configuration space in memory. */
  private static final class Bytes implements Region {
    private final byte[] bytes;
    private int reads;

    Bytes(int size) {
      bytes = new byte[size];
      set(0x06, 0x10); // there are capabilities
    }

    /** Writes bytes of which each is an int. */
    Bytes set(int at, int... values) {
      for (int i = 0; i < values.length; i++) {
        bytes[at + i] = (byte) values[i];
      }
      return this;
    }

    /** Writes a header of the extended space. */
    Bytes extended(int at, int id, int next) {
      return set(at, id, id >> 8, 1 | next << 4, next >> 4);
    }

    @Override
    public RegionInfo info() {
      return new RegionInfo(7, 3, bytes.length, 0, List.of());
    }

    @Override
    public void read(long offset, MemorySegment target) {
      reads++;
      for (int i = 0; i < target.byteSize(); i++) {
        target.set(JAVA_BYTE, i, bytes[(int) offset + i]);
      }
    }

    @Override
    public void write(long offset, MemorySegment source) {
      throw new UnsupportedOperationException();
    }

    @Override
    public MappedRegion map(long offset, long size) {
      throw new UnsupportedOperationException();
    }
  }

  @Test
  void capabilitiesAreFoundByNameTheFirstOfAKind() throws VfioException {
    Bytes bytes =
        new Bytes(256)
            .set(0x34, 0x40)
            .set(0x40, 0x01, 0x50)
            .set(0x50, 0x09, 0x60)
            .set(0x60, 0x09, 0x80)
            .set(0x80, 0x11, 0x90)
            .set(0x90, 0x10, 0);
    ConfigSpace config = new ConfigSpace(bytes);

    assertThat(config.find(CapabilityId.POWER_MANAGEMENT)).contains(new Capability(1, 0x40));
    assertThat(config.find(CapabilityId.VENDOR_SPECIFIC)).contains(new Capability(9, 0x50));
    assertThat(config.find(CapabilityId.MSIX)).contains(new Capability(0x11, 0x80));
    assertThat(config.find(CapabilityId.PCI_EXPRESS)).contains(new Capability(0x10, 0x90));
    assertThat(config.find(CapabilityId.MSI)).isEmpty();
    assertThat(config.find(ExtendedCapabilityId.AER)).isEmpty();
  }

  @Test
  void extendedCapabilitiesAreFoundByName() throws VfioException {
    Bytes bytes =
        new Bytes(4096)
            .extended(0x100, 0x0001, 0x140)
            .extended(0x140, 0x0010, 0xffc)
            .extended(0xffc, 0x000f, 0x200)
            .extended(0x200, 0x001b, 0);
    ConfigSpace config = new ConfigSpace(bytes);

    assertThat(config.find(ExtendedCapabilityId.AER)).contains(new Capability(1, 0x100));
    assertThat(config.find(ExtendedCapabilityId.SRIOV)).contains(new Capability(0x10, 0x140));
    assertThat(config.find(ExtendedCapabilityId.ATS)).contains(new Capability(0xf, 0xffc));
    assertThat(config.find(ExtendedCapabilityId.PASID)).contains(new Capability(0x1b, 0x200));
    assertThat(config.find(ExtendedCapabilityId.PRI)).isEmpty();
    assertThat(config.find(CapabilityId.VITAL_PRODUCT_DATA)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"0x40, 0x40", "0x50, 0x40", "0x50, 0x50", "0x50, 0x3c"})
  void aListThatTurnsBackOrLeavesItsPlaceIsRefused(String second, String third) {
    Bytes bytes =
        new Bytes(256)
            .set(0x34, 0x40)
            .set(0x40, 0x01, Integer.decode(second))
            .set(0x50, 0x05, Integer.decode(third));

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> new ConfigSpace(bytes).find(CapabilityId.MSIX))
        .withMessageContaining("impossible offset");
    assertThat(bytes.reads).isLessThan(10);
  }

  @Test
  void aListThatLeavesAShortSpaceIsRefused() {
    Bytes bytes = new Bytes(0x80).set(0x34, 0x40).set(0x40, 0x01, 0x80);

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> new ConfigSpace(bytes).find(CapabilityId.MSI))
        .withMessageContaining("impossible offset 0x80");
  }

  @Test
  void anExtendedListThatTurnsBackIsRefusedAfterOneTurn() {
    Bytes bytes = new Bytes(4096);
    for (int at = 0x100; at < 0x1000; at += 4) {
      bytes.extended(at, 0x0b, at + 4 < 0x1000 ? at + 4 : 0x100);
    }

    assertThatExceptionOfType(VfioException.class)
        .isThrownBy(() -> new ConfigSpace(bytes).find(ExtendedCapabilityId.AER))
        .withMessageContaining("impossible offset 0x100");
    assertThat(bytes.reads).isEqualTo((0x1000 - 0x100) / 4 + 1); // and whether it answers
  }

  @Test
  void aDeviceThatHasGoneHasNoList() {
    for (int size : List.of(256, 4096)) {
      Bytes bytes = new Bytes(size);
      for (int at = 0; at < size; at++) {
        bytes.set(at, -1);
      }

      assertThatExceptionOfType(NoSuchDeviceException.class)
          .isThrownBy(() -> new ConfigSpace(bytes).find(CapabilityId.MSI))
          .withMessageContaining("does not answer");
      if (size > 256) {
        assertThatExceptionOfType(NoSuchDeviceException.class)
            .isThrownBy(() -> new ConfigSpace(bytes).extendedCapabilities());
      }
      assertThat(bytes.reads).isLessThan(10);
    }
  }
}
