package io.github.vfio4j.vmm.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.vfio4j.VfioException;
import org.junit.jupiter.api.Test;

class AddressMapTest {
  /** Says which register was read, and keeps what was written last. */
  private static final class Device implements BusDevice {
    private final long name;
    private String written = "";

    Device(long name) {
      this.name = name;
    }

    @Override
    public long read(long offset, int width) {
      return name + offset;
    }

    @Override
    public void write(long offset, int width, long value) {
      written = "%d bytes at %d: %d".formatted(width, offset, value);
    }
  }

  private static final class Gone implements BusDevice {
    @Override
    public long read(long offset, int width) throws VfioException {
      throw new VfioException("read", "a device", null, "it is gone");
    }

    @Override
    public void write(long offset, int width, long value) throws VfioException {
      throw new VfioException("write", "a device", null, "it is gone");
    }
  }

  private final AddressMap map = new AddressMap();
  private final Device low = new Device(1000);
  private final Device high = new Device(2000);

  @Test
  void accessGoesToWhoIsThere() {
    map.add(0x200, 0x10, high);
    map.add(0x100, 0x20, low);

    assertThat(map.read(0x100, 4)).isEqualTo(1000);
    assertThat(map.read(0x11f, 1)).isEqualTo(1031);
    assertThat(map.read(0x200, 4)).isEqualTo(2000);
    map.write(0x208, 8, 77);
    assertThat(high.written).isEqualTo("8 bytes at 8: 77");
    assertThat(low.written).isEmpty();
  }

  @Test
  void nobodyReadsAsAllOnes() {
    map.add(0x100, 0x20, low);

    for (long address : new long[] {0, 0xff, 0x120, Long.MAX_VALUE, -1}) {
      assertThat(map.read(address, 4)).as("at 0x%x", address).isEqualTo(-1);
      map.write(address, 4, 5);
    }
    assertThat(low.written).isEmpty();
  }

  @Test
  void deviceThatIsGoneReadsAsAllOnes() {
    map.add(0, 8, new Gone());

    assertThat(map.read(0, 8)).isEqualTo(-1);
    map.write(0, 8, 1);
  }

  @Test
  void twoDevicesAreNotAtOneAddress() {
    map.add(0x100, 0x20, low);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> map.add(0x11f, 1, high))
        .withMessageContaining("0x1 bytes at 0x11f are another device's");
    assertThatIllegalArgumentException().isThrownBy(() -> map.add(0xf0, 0x11, high));
    map.add(0x120, 1, high);
    map.add(0xf0, 0x10, high);
  }

  @Test
  void rangesAreOfAddressesThatThereAre() {
    assertThatIllegalArgumentException().isThrownBy(() -> map.add(-1, 1, low));
    assertThatIllegalArgumentException().isThrownBy(() -> map.add(1, 0, low));
    assertThatIllegalArgumentException().isThrownBy(() -> map.add(1, Long.MAX_VALUE, low));
  }

  @Test
  void deviceThatFailsAnyhowReadsAsAllOnes() {
    map.add(
        0,
        1,
        new BusDevice() {
          @Override
          public long read(long offset, int width) {
            throw new IndexOutOfBoundsException("read");
          }

          @Override
          public void write(long offset, int width, long value) {
            throw new IllegalStateException("write");
          }
        });

    assertThat(map.read(0, 1)).isEqualTo(-1);
    map.write(0, 1, 0);
  }

  @Test
  void placeOfADeviceThatHasLeftIsFree() {
    assertThat(map.addUnlessTaken(0x100, 0x20, low)).isTrue();
    assertThat(map.addUnlessTaken(0x110, 0x20, high)).isFalse();

    map.remove(low);

    assertThat(map.read(0x100, 1)).isEqualTo(-1);
    assertThat(map.addUnlessTaken(0x110, 0x20, high)).isTrue();
  }
}
