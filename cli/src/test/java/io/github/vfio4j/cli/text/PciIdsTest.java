package io.github.vfio4j.cli.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PciIdsTest {

  @TempDir Path directory;
  private PciIds ids = PciIds.of(List.of());

  @BeforeEach
  void writeFile() throws IOException {
    String file =
        """
        # comment  with two blanks
        0e11  Compaq Computer Corporation
        \t0001  PCI to EISA Bridge
        \t\t0e11 4030  CMC Gigabit Board
        # a comment in the middle of a vendor
        \t0046  Smart Array 64xx
        8086  Intel Corporation
        \t0046  Core Processor Integrated Graphics
        \t10c9  82576 Gigabit Network Connection
        \t\t8086 a03c  Gigabit ET Dual Port Server Adapter
        \t\t0e11 a03c  NC364  Böard

        a0b1  Never the vendor 10c9
        C 02  Network controller
        \t00  Ethernet controller
        \t80  Network controller
        C ff  Unassigned class""";
    Path path = directory.resolve("pci.ids");
    Files.writeString(path, file);
    ids = PciIds.of(List.of(directory.resolve("missing"), path));
  }

  @Test
  void namesVendorsAndTheirDevices() {
    assertThat(ids.vendor(0x8086)).contains("Intel Corporation");
    assertThat(ids.device(0x8086, 0x10c9)).contains("82576 Gigabit Network Connection");
    assertThat(ids.device(0x0e11, 0x0001)).contains("PCI to EISA Bridge");
  }

  @Test
  void keepsDevicesOfDifferentVendorsApart() {
    assertThat(ids.device(0x0e11, 0x0046)).contains("Smart Array 64xx");
    assertThat(ids.device(0x8086, 0x0046)).contains("Core Processor Integrated Graphics");
    assertThat(ids.device(0x0e11, 0x10c9)).isEmpty();
    assertThat(ids.device(0x8086, 0x0001)).isEmpty();
  }

  @Test
  void takesNoSubsystemForADevice() {
    assertThat(ids.device(0x8086, 0x8086)).isEmpty();
    assertThat(ids.vendor(0x0001)).isEmpty();
    assertThat(ids.vendor(0x10c9)).isEmpty();
  }

  @Test
  void namesSubsystemsOfTheirDeviceOnly() {
    assertThat(ids.subsystem(0x8086, 0x10c9, 0x0e11, 0xa03c)).contains("NC364  Böard");
    assertThat(ids.subsystem(0x8086, 0x0046, 0x0e11, 0xa03c)).isEmpty();
  }

  @Test
  void namesClassesAndFallsBackToTheBaseClass() {
    assertThat(ids.type(0x020000)).contains("Ethernet controller");
    assertThat(ids.type(0x02ff00)).contains("Network controller");
    assertThat(ids.type(0xff0000)).contains("Unassigned class");
    assertThat(ids.type(0x030000)).isEmpty();
  }

  @Test
  void knowsNothingWithoutAFile() {
    PciIds none = PciIds.of(List.of(directory.resolve("missing"), directory));

    assertThat(none.vendor(0x8086)).isEmpty();
    assertThat(none.type(0x020000)).isEmpty();
  }
}
