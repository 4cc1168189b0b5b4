package io.github.vfio4j.vmm.x86;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.vfio4j.vmm.board.Board.MemoryRange;
import io.github.vfio4j.vmm.bus.AddressMap;
import io.github.vfio4j.vmm.pci.PciHost;
import io.github.vfio4j.vmm.pci.Windows;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Follows the pointers as an operating system does. */
class AcpiTablesTest {
  private static PciHost bus() {
    Windows nothing = new Windows(new AddressMap(), List.of());
    return new PciHost(nothing, nothing, 16);
  }

  private static final long BASE = 0xe0000;

  private final ByteBuffer tables =
      ByteBuffer.wrap(
              AcpiTables.of(BASE, 3, bus(), List.of(new MemoryRange(0, 1 << 20)), List.of(5, 5)))
          .order(ByteOrder.LITTLE_ENDIAN);

  private int at(long address) {
    return (int) (address - BASE);
  }

  private String signature(int at, int size) {
    byte[] text = new byte[size];
    tables.get(at, text);
    return new String(text, US_ASCII);
  }

  private void assertSumIsZero(int at, int size) {
    int sum = 0;
    for (int i = 0; i < size; i++) {
      sum += tables.get(at + i);
    }
    assertThat(sum & 0xff).isZero();
  }

  private int table(long address, String signature) {
    int at = at(address);
    assertThat(signature(at, 4)).isEqualTo(signature);
    assertSumIsZero(at, tables.getInt(at + 4));
    return at;
  }

  private int listed(int index, String signature) {
    int list = table(tables.getLong(24), "XSDT");
    return table(tables.getLong(list + 36 + index * 8), signature);
  }

  @Test
  void pointerLeadsToTheList() {
    assertThat(signature(0, 8)).isEqualTo("RSD PTR ");
    assertSumIsZero(0, 20);
    assertSumIsZero(0, 36);
    int list = table(tables.getLong(24), "XSDT");
    assertThat(tables.getInt(list + 4)).isEqualTo(36 + 4 * 8);
  }

  @Test
  void fixedRegistersAreWhereTheDeviceIs() {
    int fadt = listed(0, "FACP");
    assertThat(tables.getInt(fadt + 4)).isEqualTo(276);
    assertThat(tables.getInt(fadt + 56)).isEqualTo(PowerPorts.EVENT_PORT);
    assertThat(tables.getInt(fadt + 64)).isEqualTo(PowerPorts.CONTROL_PORT);
    assertThat(tables.getInt(fadt + 76)).isEqualTo(PowerPorts.TIMER_PORT);
    assertThat(tables.getLong(fadt + 120)).isEqualTo(PowerPorts.RESET_PORT);
    assertThat(tables.get(fadt + 128)).isEqualTo((byte) PowerPorts.RESET_VALUE);
    assertThat(signature(at(Integer.toUnsignedLong(tables.getInt(fadt + 36))), 4))
        .isEqualTo("FACS");
    int dsdt = table(tables.getLong(fadt + 140), "DSDT");
    assertThat(tables.getInt(fadt + 40)).isEqualTo((int) (BASE + dsdt));
    assertThat(signature(dsdt + 37, 4)).as("the sleep that is off").isEqualTo("_S5_");
  }

  @Test
  void configurationSpacesAreInMemory() {
    int mcfg = listed(2, "MCFG");
    assertThat(tables.getInt(mcfg + 4)).isEqualTo(36 + 8 + 16);
    assertThat(tables.getLong(mcfg + 44)).isEqualTo(Layout.ECAM);
    assertThat(tables.get(mcfg + 54)).as("first bus").isZero();
    assertThat(tables.get(mcfg + 55)).as("last bus").isZero();
  }

  @Test
  void everyProcessorHasItsEntry() {
    int madt = listed(1, "APIC");
    int end = madt + tables.getInt(madt + 4);
    int processors = 0;
    for (int at = madt + 44; at < end; at += tables.get(at + 1)) {
      if (tables.get(at) == 0) {
        assertThat(tables.get(at + 3)).isEqualTo((byte) processors);
        assertThat(tables.getInt(at + 4)).isEqualTo(1);
        processors++;
      }
    }
    assertThat(processors).isEqualTo(3);
  }

  @Test
  void devicesHaveNodesBesideThatOfProcessorsAndMemory() {
    int srat = listed(3, "SRAT");
    int end = srat + tables.getInt(srat + 4);
    List<Integer> kinds = new ArrayList<>();
    List<Integer> nodes = new ArrayList<>();
    for (int at = srat + 48; at < end; at += tables.get(at + 1)) {
      kinds.add((int) tables.get(at));
      if (tables.get(at) == 5) {
        nodes.add(tables.getInt(at + 4));
        assertThat(tables.get(at + 3)).as("of PCI").isEqualTo((byte) 1);
        assertThat(tables.getShort(at + 10)).isEqualTo((short) (5 << 3));
        assertThat(tables.getInt(at + 24)).as("enabled").isEqualTo(1);
      }
    }
    assertThat(kinds).containsExactly(0, 0, 0, 1, 5, 5);
    assertThat(nodes).containsExactly(1, 2);
  }
}
