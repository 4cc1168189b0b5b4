package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.vmm.pci.PciHost;
import java.util.ArrayList;
import java.util.List;

/** What a guest learns of its board by names: how it is turned off, and its PCI bus. */
final class AcpiNamespace {
  private AcpiNamespace() {}

  static byte[] bytes(PciHost pci) {
    Aml bus =
        new Aml()
            .identity("_HID", "PNP0A08")
            .identity("_CID", "PNP0A03")
            .name("_SEG", 0)
            .name("_BBN", 0)
            .name("_UID", 0)
            .name("_PRT", lines(pci))
            .resources(
                "_CRS",
                new Resources()
                    .buses(0, 0)
                    .ports(Layout.PCI_PORTS, Layout.LAST_PORT)
                    .memory(Layout.PCI_MEMORY, Layout.ECAM - 1)
                    .memory(Layout.PCI_HIGH_MEMORY, Layout.PCI_HIGH_MEMORY_END - 1));
    Aml ecam =
        new Aml()
            .identity("_HID", "PNP0C02")
            .name("_UID", 1)
            .resources("_CRS", new Resources().own(Layout.ECAM, PciHost.ECAM_SIZE));
    HotplugNamespace.addSlots(bus);
    Aml devices = new Aml().device("PCI0", bus).device("ECAM", ecam);
    HotplugNamespace.addMemory(devices);
    Aml table = new Aml().name("_S5_", PowerPorts.OFF, PowerPorts.OFF, 0, 0).scope("_SB_", devices);
    HotplugNamespace.addEvents(table);
    return table.bytes();
  }

  /** Which interrupt each line of each slot raises: slot, line, no controller's name, number. */
  private static List<int[]> lines(PciHost pci) {
    List<int[]> lines = new ArrayList<>();
    for (int slot = 1; slot < PciHost.SLOTS; slot++) {
      for (int pin = 1; pin <= 4; pin++) {
        lines.add(new int[] {slot << 16 | 0xffff, pin - 1, 0, pci.gsi(slot, pin)});
      }
    }
    return lines;
  }
}
