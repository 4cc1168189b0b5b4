package io.github.vfio4j.vmm.x86;

import io.github.vfio4j.vmm.pci.PciHost;

/**
 * What a guest does when something has come or is wanted back: it is told by an event, reads what
 * it is, and tells its own drivers. See {@link Hotplug}.
 */
final class HotplugNamespace {
  static final int PCI_EVENT = 1;
  static final int MEMORY_EVENT = 2;

  private static final int COME = 1;
  private static final int WANTED_BACK = 3;

  private HotplugNamespace() {}

  /** Adds the slots of the bus to what is in its device. */
  static void addSlots(Aml bus) {
    addRegisters(bus, Layout.PCI_HOTPLUG_PORT);
    for (int slot = 1; slot < PciHost.SLOTS; slot++) {
      bus.device(
          slotName(slot),
          new Aml()
              .name("_ADR", slot << 16)
              .name("_SUN", slot)
              .method("_EJ0", 1, new Aml().store(1 << slot, "PEJ_")));
    }
  }

  /** Adds the places for memory to what is in the root of all devices. */
  static void addMemory(Aml root) {
    Aml controller = new Aml().identity("_HID", "PNP0A06").name("_UID", 2);
    addRegisters(controller, Layout.MEMORY_HOTPLUG_PORT);
    for (int index = 0; index < MemoryModules.COUNT; index++) {
      int port = Layout.MEMORY_MODULES_PORT + index * MemoryModules.WINDOW;
      controller.device(
          moduleName(index),
          new Aml()
              .identity("_HID", "PNP0C80")
              .name("_UID", index)
              .region("MOD_", port, MemoryModules.WINDOW)
              .fields("MOD_", "MINL", "MINH", "MAXL", "MAXH", "LENL", "LENH")
              .resources("MEM_", new Resources().memory(Layout.FOUR_GIB, Layout.FOUR_GIB))
              .method("_STA", 0, new Aml().returnIf("LENL", "LENH", 0xf))
              .method(
                  "_CRS",
                  0,
                  new Aml()
                      .copy("MINL", "MEM_", 14, "NINL")
                      .copy("MINH", "MEM_", 18, "NINH")
                      .copy("MAXL", "MEM_", 22, "NAXL")
                      .copy("MAXH", "MEM_", 26, "NAXH")
                      .copy("LENL", "MEM_", 38, "NENL")
                      .copy("LENH", "MEM_", 42, "NENH")
                      .returnNamed("MEM_"))
              .method("_EJ0", 1, new Aml().store(1 << index, "PEJ_")));
    }
    root.device("MHPC", controller);
  }

  private static void addRegisters(Aml into, int port) {
    into.region("PHP_", port, Hotplug.SIZE).fields("PHP_", "PUP_", "PDN_", "PEJ_");
  }

  /** Adds what is done on the events. */
  static void addEvents(Aml table) {
    Aml pci = new Aml().load("\\_SB_PCI0PUP_", 0).load("\\_SB_PCI0PDN_", 1);
    for (int slot = 1; slot < PciHost.SLOTS; slot++) {
      String path = "\\_SB_PCI0" + slotName(slot);
      pci.notifyIf(0, 1 << slot, path, COME).notifyIf(1, 1 << slot, path, WANTED_BACK);
    }
    Aml memory = new Aml().load("\\_SB_MHPCPUP_", 0).load("\\_SB_MHPCPDN_", 1);
    for (int index = 0; index < MemoryModules.COUNT; index++) {
      String path = "\\_SB_MHPC" + moduleName(index);
      memory.notifyIf(0, 1 << index, path, COME).notifyIf(1, 1 << index, path, WANTED_BACK);
    }
    table.scope(
        "_GPE",
        new Aml().method("_E0" + PCI_EVENT, 0, pci).method("_E0" + MEMORY_EVENT, 0, memory));
  }

  private static String slotName(int slot) {
    return "S%03d".formatted(slot);
  }

  private static String moduleName(int index) {
    return "M%03d".formatted(index);
  }
}
