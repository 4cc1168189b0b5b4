package io.github.vfio4j.vmm.pci;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.VfioException;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.bus.BusDevice;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciHostTest {
  private static final int ENABLED = 1 << 31;

  private final Windows nothing = new Windows(new AddressMap(), List.of());
  private final PciHost host = new PciHost(nothing, nothing, 16);
  private final BusDevice ecam = host.ecam();
  private final BusDevice ports = host.configPorts();

  @Test
  void bridgeIsSeenAsMemory() throws VfioException {
    assertThat((int) ecam.read(0, 4)).isEqualTo(0x0008_1b36);
    assertThat(ecam.read(2, 2) & 0xffff).isEqualTo(8);
    assertThat(ecam.read(11, 1) & 0xff).as("a bridge").isEqualTo(6);
    assertThat((int) ecam.read(0x100, 4)).as("no extended capability").isZero();
  }

  @Test
  void bridgeIsSeenThroughPorts() throws VfioException {
    ports.write(0, 4, ENABLED & 0xffff_ffffL);
    assertThat((int) ports.read(4, 4)).isEqualTo(0x0008_1b36);
    assertThat(ports.read(6, 2) & 0xffff).isEqualTo(8);
    ports.write(0, 4, 8);
    assertThat(ports.read(4, 4)).as("not enabled").isEqualTo(-1);
    assertThat(ports.read(0, 4)).isEqualTo(8);
    ports.write(0, 4, (ENABLED | 1 << 16) & 0xffff_ffffL);
    assertThat(ports.read(4, 4)).as("another bus").isEqualTo(-1);
  }

  @Test
  void emptySlotsReadAsAllOnes() throws VfioException {
    assertThat((int) ecam.read(1 << 15, 4)).isEqualTo(-1);
    assertThat((int) ecam.read(1 << 12, 4)).as("the bridge has one function").isEqualTo(-1);
    ecam.write(1 << 15, 4, 0);
    ports.write(0, 4, (ENABLED | 31 << 11) & 0xffff_ffffL);
    assertThat((int) ports.read(4, 4)).isEqualTo(-1);
  }

  @Test
  void accessAcrossRegistersIsNone() throws VfioException {
    assertThat(ecam.read(2, 4)).isEqualTo(-1);
    assertThat(ecam.read(0, 8)).isEqualTo(-1);
    ecam.write(1, 2, 0);
  }

  @Test
  void accessesThatAreNotWholeReachNothing() throws VfioException {
    for (int width : new int[] {3, 5, 6, 7, 8}) {
      assertThat(ecam.read(0xffd, width)).as("width " + width).isEqualTo(-1);
      ecam.write(0xffd, width, 0);
      assertThat(ports.read(5, width)).isEqualTo(-1);
    }
  }

  @Test
  void slotsAreTakenAndFreeAgain() throws VfioException {
    assertThat(host.freeSlot()).hasValue(1);
    assertThat(host.isFree(0)).isFalse();
    assertThat(host.isFree(32)).isFalse();
    host.plug(1, new HostBridge());

    assertThat(host.freeSlot()).hasValue(2);
    assertThat(ecam.read(1 << 15, 2) & 0xffff).isEqualTo(0x1b36);

    host.unplug(1);
    assertThat(ecam.read(1 << 15, 4)).isEqualTo(-1);
  }
}
